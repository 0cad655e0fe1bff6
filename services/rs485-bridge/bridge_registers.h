/* Inside of the bridge's register requests. */
#ifndef BRIDGE_REGISTERS_GLUE_H
#define BRIDGE_REGISTERS_GLUE_H

#include "bridge_internal.h"

/* What a register is, without its value. */
void bridge_fill_register(const register_row_t *row, robot_register_value_t *out);
/* Its value: words in the row's order, as old as age_s. */
void bridge_fill_value(const register_row_t *row, const uint16_t words[2], double age_s,
                       robot_register_value_t *out);
/* Address, line and name of the module. module NULL: the profile knows none there. */
void bridge_fill_head(const bridge_line_t *line, uint8_t unit, const register_module_t *module,
                      robot_register_values_t *out);

/* A slot for a call that will wait for the line. NULL, the call answered, when all are busy. */
register_call_t *bridge_register_begin(bridge_t *bridge, rpc_context_t *call, bridge_line_t *line,
                                       uint8_t unit, register_step_t step);
/* Hands a job to the slot's line; function, registers and values are the caller's. The call is
   answered here when the line does not take it. */
void bridge_register_submit(bridge_t *bridge, register_call_t *slot, job_t *job);
/* The record of a write, done or refused. */
void bridge_register_record(bridge_t *bridge, rpc_context_t *call, bool success, const char *format,
                            ...) __attribute__((format(printf, 4, 5)));

#endif
