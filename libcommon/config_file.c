/* gantry.conf: `[section]`, `key = value`, and comments from `#` (at the start or after a space) to
   the end of the line. */
#include "config_internal.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { CONFIG_LINE_MAX = 1024, SECTION_MAX = 33, PLACE_MAX = 160, SEEN_MAX = 256 };

/* Sections that a file may have: the services and the tools that read it. */
static const char *const SECTIONS[] = {"common",       "rs485-bridge", "sensor-processor",
                                       "localization", "mapper",       "storage",
                                       "api-gateway",  "simulator",    "gantry"};

typedef struct reader {
  config_t *config;
  const char *path;
  unsigned line;
  char section[SECTION_MAX];
  const value_t *seen[SEEN_MAX]; /* set in the present section */
  size_t seen_count;
  gantry_fault_t *fault;
} reader_t;

static char *trim(char *text) {
  while (isspace((unsigned char)*text))
    text++;
  size_t len = strlen(text);
  while (len > 0 && isspace((unsigned char)text[len - 1]))
    len--;
  text[len] = '\0';
  return text;
}

static void cut_comment(char *line) {
  for (char *mark = strchr(line, '#'); mark; mark = strchr(mark + 1, '#')) {
    if (mark == line || isspace((unsigned char)mark[-1])) {
      *mark = '\0';
      return;
    }
  }
}

static gantry_err_t read_section(reader_t *reader, char *text) {
  size_t len = strlen(text);
  if (text[len - 1] != ']')
    return fault_set(reader->fault, GANTRY_E_INVALID, text, "%s:%u: a section ends in ]",
                     reader->path, reader->line);
  text[len - 1] = '\0';
  const char *name = trim(text + 1);
  bool known = strcmp(name, reader->config->service) == 0;
  for (size_t i = 0; i < sizeof SECTIONS / sizeof SECTIONS[0]; i++) {
    if (strcmp(SECTIONS[i], name) == 0) known = true;
  }
  if (!known)
    return fault_set(reader->fault, GANTRY_E_INVALID, name, "%s:%u: no section has the name [%s]",
                     reader->path, reader->line, name);
  snprintf(reader->section, sizeof reader->section, "%s", name);
  reader->seen_count = 0;
  return GANTRY_OK;
}

static gantry_err_t read_once(reader_t *reader, const value_t *value) {
  for (size_t i = 0; i < reader->seen_count; i++) {
    if (reader->seen[i] == value)
      return fault_set(reader->fault, GANTRY_E_INVALID, value->option->key,
                       "%s:%u: %s is set twice", reader->path, reader->line, value->option->key);
  }
  if (reader->seen_count < SEEN_MAX) reader->seen[reader->seen_count++] = value;
  return GANTRY_OK;
}

static gantry_err_t read_pair(reader_t *reader, char *text) {
  char *equals = strchr(text, '=');
  if (!equals)
    return fault_set(reader->fault, GANTRY_E_INVALID, text, "%s:%u: expected `key = value`",
                     reader->path, reader->line);
  if (reader->section[0] == '\0')
    return fault_set(reader->fault, GANTRY_E_INVALID, text,
                     "%s:%u: a key stands before any [section]", reader->path, reader->line);
  bool common = strcmp(reader->section, "common") == 0;
  bool own = strcmp(reader->section, reader->config->service) == 0;
  if (!common && !own) return GANTRY_OK;
  *equals = '\0';
  const char *key = trim(text);
  value_t *value = config_find(reader->config, key);
  bool belongs = value && (own || value->common);
  if (!belongs)
    return fault_set(reader->fault, GANTRY_E_INVALID, key, "%s:%u: [%s] has no option %s",
                     reader->path, reader->line, reader->section, key);
  GANTRY_TRY(read_once(reader, value));
  char place[PLACE_MAX];
  snprintf(place, sizeof place, "%s:%u", reader->path, reader->line);
  return config_keep(value, trim(equals + 1), own ? RANK_FILE : RANK_FILE_COMMON, place,
                     reader->fault);
}

static gantry_err_t read_line(reader_t *reader, char *line) {
  if (!strchr(line, '\n') && strlen(line) == CONFIG_LINE_MAX - 1)
    return fault_set(reader->fault, GANTRY_E_INVALID, "", "%s:%u: line longer than %d bytes",
                     reader->path, reader->line, CONFIG_LINE_MAX - 2);
  cut_comment(line);
  char *text = trim(line);
  if (*text == '\0') return GANTRY_OK;
  return *text == '[' ? read_section(reader, text) : read_pair(reader, text);
}

gantry_err_t config_read_file(config_t *config, const char *path, gantry_fault_t *fault) {
  FILE *file = fopen(path, "re");
  if (!file) return fault_set(fault, GANTRY_E_INVALID, "config", "%s: %s", path, strerror(errno));
  reader_t reader = {.config = config, .path = path, .fault = fault};
  gantry_err_t err = GANTRY_OK;
  char line[CONFIG_LINE_MAX];
  while (err == GANTRY_OK && fgets(line, sizeof line, file)) {
    reader.line++;
    err = read_line(&reader, line);
  }
  fclose(file);
  return err;
}
