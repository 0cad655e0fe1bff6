/* The registry on disk: one line of text a module, so that a person can read it. Pure: text in,
   records out, and back. */
#ifndef BRIDGE_REGISTRY_FILE_H
#define BRIDGE_REGISTRY_FILE_H

#include "modules.h"

#define REGISTRY_LINE_MAX 160
#define REGISTRY_MAX      512 /* 16 lines of 32 modules */
#define REGISTRY_TEXT_MAX ((size_t)REGISTRY_MAX * REGISTRY_LINE_MAX)

typedef struct registry_record {
  uint8_t line; /* number, from 1 */
  module_seed_t module;
  uint64_t seen_wall_ns; /* newest valid answer; 0 never */
  char status[16];       /* as it was when it was kept */
  char name[32];         /* in its profile */
} registry_record_t;

/* Writes count records into out. Returns the length; 0 when they do not fit. */
size_t registry_file_write(const registry_record_t *records, size_t count, char *out, size_t size);
/* Reads what registry_file_write wrote. False with a sentence in why for anything else: torn, cut,
   changed by hand, or of another program; *count is 0 then. Empty text is such a file. */
bool registry_file_read(const char *text, registry_record_t *out, size_t max, size_t *count,
                        char *why, size_t size);

#endif
