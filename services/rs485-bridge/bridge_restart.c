/* Closing and opening a line's device by order: for an adapter that hangs. */
#include "bridge_internal.h"

#include <string.h>

void on_line_restart(rpc_context_t *call, const void *takes, void *arg) {
  bridge_t *bridge = arg;
  const robot_line_of_t *wanted = takes;
  unsigned number = wanted->has_port && wanted->port ? wanted->port : 1;
  bridge_line_t *line = bridge_line(bridge, number);

  if (!line)
    rpc_fail(call, GANTRY_E_NOT_FOUND, "port", "there is no line %u; robot.lines names them",
             number);
  else if (!line->port)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u has no device; set rs485_port", number);
  else if (!line->open)
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u is closed and tried again by itself: %s",
             number, line->detail);
  else if (number == 1 && robot_may_move(&bridge->robot))
    rpc_fail(call, GANTRY_E_CONFLICT, "", "the robot moves; halt it first");
  else if (line->restarting)
    rpc_fail(call, GANTRY_E_CONFLICT, "", "line %u is being restarted already", number);
  else if (!port_restart(line->port))
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "line %u takes no orders now; try again", number);
  else
    line->restarting = call;
}

void bridge_follow_restart(bridge_line_t *line) {
  rpc_context_t *call = line->restarting;
  if (!call || strcmp(line->detail, PORT_RESTARTED) == 0) return;
  line->restarting = NULL;
  if (line->open)
    rpc_reply(call, &(sys_empty_t){0});
  else
    rpc_fail(call, GANTRY_E_DEVICE, "", "line %u did not open again: %s; it is being retried",
             line->number, line->detail);
}
