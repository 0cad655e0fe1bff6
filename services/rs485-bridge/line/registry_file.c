/* First line the kind of file, then a line a module, last the number of modules and a sum over all
   bytes before: a file that was torn or changed shows it. */
#include "registry_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "gantry modules 1\n"
    "# line address type firmware hardware serial identified quarantined seen_ns status letters "
    "name\n";

/* FNV-1a, 32 bits. */
static uint32_t sum_of(const char *text, size_t len) {
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < len; i++)
    sum = (sum ^ (uint8_t)text[i]) * 16777619u;
  return sum;
}

static int write_record(const registry_record_t *record, char *out, size_t size) {
  const module_seed_t *module = &record->module;
  return snprintf(out, size, "%u %u %u %u %u %u %u %u %llu %s %s %s\n", record->line,
                  module->address, module->type, module->firmware, module->hardware, module->serial,
                  module->identified, module->quarantined, (unsigned long long)record->seen_wall_ns,
                  record->status[0] ? record->status : "-",
                  module->letters[0] ? module->letters : "-", record->name[0] ? record->name : "-");
}

size_t registry_file_write(const registry_record_t *records, size_t count, char *out, size_t size) {
  size_t len = sizeof head - 1;
  if (len >= size) return 0;
  memcpy(out, head, sizeof head);
  for (size_t i = 0; i <= count; i++) {
    int more = i < count
                   ? write_record(&records[i], out + len, size - len)
                   : snprintf(out + len, size - len, "end %zu %08x\n", count, sum_of(out, len));
    if (more < 0 || (size_t)more >= size - len) return 0;
    len += (size_t)more;
  }
  return len;
}

/* The number at *at, which then stands behind it and one space. */
static bool take_number(const char **at, uint64_t max, uint64_t *out) {
  char *end = NULL;
  if (**at < '0' || **at > '9') return false;
  errno = 0;
  *out = strtoull(*at, &end, 10);
  if (errno != 0 || *out > max || *end != ' ') return false;
  *at = end + 1;
  return true;
}

/* The word at *at; last: the line ends behind it. "-" stands for none. */
static bool take_word(const char **at, char *out, size_t size, bool last) {
  size_t len = strcspn(*at, " \n");
  if (len == 0 || len >= size || (*at)[len] != (last ? '\n' : ' ')) return false;
  memcpy(out, *at, len);
  out[len] = '\0';
  if (strcmp(out, "-") == 0) out[0] = '\0';
  *at += len + 1;
  return true;
}

static bool read_record(const char **at, registry_record_t *out) {
  static const uint64_t most[] = {255,        247, UINT16_MAX, UINT16_MAX, UINT16_MAX,
                                  UINT32_MAX, 1,   1,          UINT64_MAX};
  enum { NUMBERS = sizeof most / sizeof most[0] };
  uint64_t numbers[NUMBERS];
  for (size_t i = 0; i < NUMBERS; i++)
    if (!take_number(at, most[i], &numbers[i])) return false;
  *out = (registry_record_t){.line = (uint8_t)numbers[0],
                             .module = {.address = (uint8_t)numbers[1],
                                        .type = (uint16_t)numbers[2],
                                        .firmware = (uint16_t)numbers[3],
                                        .hardware = (uint16_t)numbers[4],
                                        .serial = (uint32_t)numbers[5],
                                        .identified = numbers[6] != 0,
                                        .quarantined = numbers[7] != 0},
                             .seen_wall_ns = numbers[8]};
  return out->line > 0 && out->module.address > 0 &&
         take_word(at, out->status, sizeof out->status, false) &&
         take_word(at, out->module.letters, sizeof out->module.letters, false) &&
         take_word(at, out->name, sizeof out->name, true);
}

/* Whether the last line stands at `at`, fits the rest, and nothing follows. */
static bool is_end(const char *text, const char *at, size_t count) {
  char end[40];
  (void)snprintf(end, sizeof end, "end %zu %08x\n", count, sum_of(text, (size_t)(at - text)));
  return strcmp(at, end) == 0;
}

bool registry_file_read(const char *text, registry_record_t *out, size_t max, size_t *count,
                        char *why, size_t size) {
  const char *at = text + sizeof head - 1;
  *count = 0;
  if (strncmp(text, head, sizeof head - 1) != 0) {
    (void)snprintf(why, size, "it does not begin as a registry of modules does");
    return false;
  }
  size_t read = 0;
  while (strncmp(at, "end ", 4) != 0) {
    if (read == max || !read_record(&at, &out[read])) {
      (void)snprintf(why, size, "module %zu cannot be read", read + 1);
      return false;
    }
    read++;
  }
  if (!is_end(text, at, read)) {
    (void)snprintf(why, size, "its end does not fit the rest");
    return false;
  }
  *count = read;
  return true;
}
