/* The setting that names further RS485 ports: "PATH[,key=value]...; PATH...". Pure. */
#ifndef BRIDGE_PORT_LIST_H
#define BRIDGE_PORT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct port_entry {
  char path[256];
  char profile[256]; /* name or file */
  uint32_t baud;
  uint32_t max_hold_us;
  uint8_t first, last; /* addresses that discovery asks */
} port_entry_t;

/* Reads text; what an entry leaves open is taken from defaults. Empty text and empty entries (a
   semicolon at the end) are no ports. False with a sentence in why that names the part at fault;
   *count is the number of entries before it. Paths hold neither ',' nor ';'. */
bool port_list_parse(const char *text, const port_entry_t *defaults, port_entry_t *out, size_t max,
                     size_t *count, char *why, size_t size);

#endif
