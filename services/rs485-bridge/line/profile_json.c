/* Reads a register profile from JSON. The parsed text stays: the tables point into its strings. */
#include "profile_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile_check.h"
#include "profile_keys.h"

struct profile_file {
  json_t *root;
  register_profile_t profile;
  register_class_t *classes;
  register_module_t *modules;
  register_motor_t *motors;
};

enum { PROFILE_NAME, PROFILE_DOC, PROFILE_CLASS, PROFILE_MODULE, PROFILE_MOTOR, PROFILE_KEYS };
static const key_row_t profile_keys[PROFILE_KEYS] = {{"profile", KEY_TEXT, true, NAME_MEDIUM},
                                                     {"doc", KEY_TEXT, true, 255},
                                                     {"class", KEY_TABLE, false, 0},
                                                     {"module", KEY_TABLE, true, 0},
                                                     {"motor", KEY_TABLES, false, 0}};

enum { CLASS_DOC, CLASS_RATE, CLASS_RANK, CLASS_LEAST, CLASS_KEYS };
static const key_row_t class_keys[CLASS_KEYS] = {{"doc", KEY_TEXT, true, 255},
                                                 {"rate_hz", KEY_NUMBER, true, 0},
                                                 {"rank", KEY_WHOLE, true, 0},
                                                 {"least", KEY_WHOLE, false, 0}};

enum { MODULE_DOC, MODULE_ADDRESS, MODULE_TYPE, MODULE_MANDATORY, MODULE_REGISTER, MODULE_KEYS };
static const key_row_t module_keys[MODULE_KEYS] = {{"doc", KEY_TEXT, true, 255},
                                                   {"address", KEY_ADDRESS, false, 0},
                                                   {"type", KEY_WHOLE, false, 0},
                                                   {"mandatory", KEY_FLAG, false, 0},
                                                   {"register", KEY_TABLE, false, 0}};

enum {
  ROW_ADDRESS,
  ROW_DOC,
  ROW_TYPE,
  ROW_SCALE,
  ROW_UNIT,
  ROW_MODE,
  ROW_ACCESS,
  ROW_SAFETY,
  ROW_OPTIONAL,
  ROW_MIN,
  ROW_MAX,
  ROW_DEFAULT,
  ROW_CLASS,
  ROW_SENSOR,
  ROW_KEYS
};
static const key_row_t row_keys[ROW_KEYS] = {
    {"address", KEY_ADDRESS, true, 0}, {"doc", KEY_TEXT, true, 255},
    {"type", KEY_TEXT, false, 0},      {"scale", KEY_NUMBER, false, 0},
    {"unit", KEY_TEXT, false, 15},     {"mode", KEY_TEXT, false, 0},
    {"access", KEY_TEXT, false, 0},    {"safety", KEY_FLAG, false, 0},
    {"optional", KEY_FLAG, false, 0},  {"min", KEY_WHOLE, false, 0},
    {"max", KEY_WHOLE, false, 0},      {"default", KEY_WHOLE, false, 0},
    {"class", KEY_TEXT, false, 0},     {"sensor", KEY_TEXT, false, 50}};

enum {
  MOTOR_MODULE,
  MOTOR_ENABLE,
  MOTOR_SETPOINT,
  MOTOR_FULL_SCALE,
  MOTOR_DIRECTION,
  MOTOR_FORWARD,
  MOTOR_REVERSE,
  MOTOR_SPEED,
  MOTOR_ERROR,
  MOTOR_KEYS
};
static const key_row_t motor_keys[MOTOR_KEYS] = {
    {"module", KEY_TEXT, true, 0},    {"enable", KEY_TEXT, true, 0},
    {"setpoint", KEY_TEXT, true, 0},  {"full_scale", KEY_WHOLE, true, 0},
    {"direction", KEY_TEXT, true, 0}, {"forward", KEY_WHOLE, true, 0},
    {"reverse", KEY_WHOLE, true, 0},  {"speed", KEY_TEXT, false, 0},
    {"error", KEY_TEXT, false, 0}};

static bool load_class(complaint_t *to, const char *name, json_t *table, register_class_t *out) {
  json_t *values[KEYS_MAX];
  char place[PLACE_MAX];
  (void)snprintf(place, sizeof place, "class.%.60s", name);
  if (!keys_check_table(to, table, place)) return false;
  if (!keys_check_name(to, name, NAME_MEDIUM, place)) return false;
  if (!keys_take(to, table, class_keys, CLASS_KEYS, place, values)) return false;
  int64_t rank = key_whole(values[CLASS_RANK], 0), least = key_whole(values[CLASS_LEAST], 0);
  *out = (register_class_t){.name = name,
                            .doc = key_text(values[CLASS_DOC], ""),
                            .rate_hz = key_number(values[CLASS_RATE], 0.0)};
  if (!(out->rate_hz >= 0.001 && out->rate_hz <= 1000.0))
    return complain(to, place, "rate_hz is not within 0.001 to 1000; give another");
  if (!keys_check_range(to, rank, 0, 9, "rank", place)) return false;
  if (!keys_check_range(to, least, 0, 125, "least", place)) return false;
  out->rank = (unsigned)rank;
  out->least = (uint16_t)least;
  return true;
}

static bool load_register(complaint_t *to, const register_profile_t *profile, bool common,
                          json_t *table, const char *place, register_row_t *out) {
  json_t *values[KEYS_MAX];
  if (!keys_check_table(to, table, place)) return false;
  if (!keys_take(to, table, row_keys, ROW_KEYS, place, values)) return false;
  draft_row_t draft = {.type = key_text(values[ROW_TYPE], "u16"),
                       .mode = key_text(values[ROW_MODE], "r"),
                       .access = key_text(values[ROW_ACCESS], "user"),
                       .poll_class = key_text(values[ROW_CLASS], NULL),
                       .address = key_address(values[ROW_ADDRESS], 0),
                       .has_min = values[ROW_MIN] != NULL,
                       .has_max = values[ROW_MAX] != NULL,
                       .has_initial = values[ROW_DEFAULT] != NULL,
                       .min = key_whole(values[ROW_MIN], 0),
                       .max = key_whole(values[ROW_MAX], 0),
                       .initial = key_whole(values[ROW_DEFAULT], 0)};
  out->doc = key_text(values[ROW_DOC], "");
  out->unit = key_text(values[ROW_UNIT], "");
  out->sensor = key_text(values[ROW_SENSOR], NULL);
  out->scale = key_number(values[ROW_SCALE], 1.0);
  out->flags = (json_is_true(values[ROW_SAFETY]) ? REGISTER_SAFETY : 0u) |
               (json_is_true(values[ROW_OPTIONAL]) ? REGISTER_OPTIONAL : 0u);
  return check_register(to, profile, common, &draft, place, out);
}

static int by_address(const void *one, const void *other) {
  const register_row_t *a = one, *b = other;
  return (a->address > b->address) - (a->address < b->address);
}

static bool load_registers(complaint_t *to, const register_profile_t *profile, json_t *table,
                           register_module_t *module) {
  char place[PLACE_MAX];
  const char *name;
  json_t *value;
  register_row_t *rows = calloc(json_object_size(table) + 1, sizeof *rows);
  module->rows = rows;
  if (!rows) return complain(to, "profile", "out of memory");
  json_object_foreach(table, name, value) {
    register_row_t *row = &rows[module->row_count++];
    row->name = name;
    (void)snprintf(place, sizeof place, "module.%s.register.%.60s", module->name, name);
    if (!keys_check_name(to, name, NAME_LONG, place)) return false;
    if (!load_register(to, profile, module->address == 0, value, place, row)) return false;
  }
  qsort(rows, module->row_count, sizeof *rows, by_address);
  return true;
}

static bool load_module(complaint_t *to, const register_profile_t *profile, const char *name,
                        json_t *table, register_module_t *out) {
  json_t *values[KEYS_MAX];
  char place[PLACE_MAX];
  (void)snprintf(place, sizeof place, "module.%.60s", name);
  if (!keys_check_table(to, table, place)) return false;
  if (!keys_check_name(to, name, NAME_MEDIUM, place)) return false;
  if (!keys_take(to, table, module_keys, MODULE_KEYS, place, values)) return false;
  int64_t address = key_address(values[MODULE_ADDRESS], 0),
          type = key_whole(values[MODULE_TYPE], 0);
  if (!keys_check_range(to, address, 0, 247, "address", place)) return false;
  if (!keys_check_range(to, type, 0, UINT16_MAX, "type", place)) return false;
  *out = (register_module_t){.name = name,
                             .doc = key_text(values[MODULE_DOC], ""),
                             .address = (uint8_t)address,
                             .type = (uint16_t)type,
                             .mandatory = json_is_true(values[MODULE_MANDATORY])};
  return load_registers(to, profile, values[MODULE_REGISTER], out);
}

static bool load_motor(complaint_t *to, const register_profile_t *profile, size_t index,
                       json_t *table, register_motor_t *out) {
  json_t *values[KEYS_MAX];
  char place[PLACE_MAX];
  (void)snprintf(place, sizeof place, "motor[%zu]", index);
  if (!keys_take(to, table, motor_keys, MOTOR_KEYS, place, values)) return false;
  const draft_motor_t draft = {.module = key_text(values[MOTOR_MODULE], ""),
                               .enable = key_text(values[MOTOR_ENABLE], NULL),
                               .setpoint = key_text(values[MOTOR_SETPOINT], NULL),
                               .direction = key_text(values[MOTOR_DIRECTION], NULL),
                               .speed = key_text(values[MOTOR_SPEED], NULL),
                               .error = key_text(values[MOTOR_ERROR], NULL),
                               .full_scale = key_whole(values[MOTOR_FULL_SCALE], 0),
                               .forward = key_whole(values[MOTOR_FORWARD], 0),
                               .reverse = key_whole(values[MOTOR_REVERSE], 0)};
  return check_motor(to, profile, &draft, place, out);
}

static bool check_count(complaint_t *to, size_t count, size_t most, const char *place) {
  return count <= most || complain(to, place, "at most %zu of them; remove some", most);
}

static bool load_classes(complaint_t *to, profile_file_t *file, json_t *table) {
  const char *name;
  json_t *value;
  if (!check_count(to, json_object_size(table), REGISTERS_CLASSES_MAX, "class")) return false;
  json_object_foreach(table, name, value) {
    if (!load_class(to, name, value, &file->classes[file->profile.class_count])) return false;
    file->profile.class_count++;
  }
  return true;
}

static bool load_modules(complaint_t *to, profile_file_t *file, json_t *table) {
  const char *name;
  json_t *value;
  if (!check_count(to, json_object_size(table), REGISTERS_MODULES_MAX, "module")) return false;
  json_object_foreach(table, name, value) {
    register_module_t *module = &file->modules[file->profile.module_count++];
    if (!load_module(to, &file->profile, name, value, module)) return false;
  }
  return check_modules(to, &file->profile);
}

static bool load_motors(complaint_t *to, profile_file_t *file, json_t *list) {
  size_t index;
  json_t *value;
  if (!check_count(to, json_array_size(list), REGISTERS_MOTORS_MAX, "motor")) return false;
  json_array_foreach(list, index, value) {
    if (!load_motor(to, &file->profile, index, value, &file->motors[index])) return false;
    file->profile.motor_count++;
  }
  return true;
}

static bool load_profile(complaint_t *to, profile_file_t *file) {
  json_t *values[KEYS_MAX];
  file->classes = calloc(REGISTERS_CLASSES_MAX, sizeof file->classes[0]);
  file->modules = calloc(REGISTERS_MODULES_MAX, sizeof file->modules[0]);
  file->motors = calloc(REGISTERS_MOTORS_MAX, sizeof file->motors[0]);
  if (!file->classes || !file->modules || !file->motors)
    return complain(to, "profile", "out of memory");
  if (!keys_check_table(to, file->root, "profile")) return false;
  if (!keys_take(to, file->root, profile_keys, PROFILE_KEYS, "profile", values)) return false;
  file->profile = (register_profile_t){.name = key_text(values[PROFILE_NAME], ""),
                                       .doc = key_text(values[PROFILE_DOC], ""),
                                       .classes = file->classes,
                                       .modules = file->modules,
                                       .motors = file->motors};
  return load_classes(to, file, values[PROFILE_CLASS]) &&
         load_modules(to, file, values[PROFILE_MODULE]) &&
         load_motors(to, file, values[PROFILE_MOTOR]);
}

/* Nesting outside of texts, before anybody recurses into it. */
static unsigned depth_of(const char *text, size_t len) {
  unsigned depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < len; i++) {
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == '{' || text[i] == '['))
      depth++;
    else if (!quoted && (text[i] == '}' || text[i] == ']') && depth > 0)
      depth--;
    if (depth > deepest) deepest = depth;
  }
  return deepest;
}

profile_file_t *profile_parse(const char *text, size_t len, char *why, size_t size) {
  complaint_t to = {.why = why, .size = size};
  json_error_t error;
  why[0] = '\0';
  if (len > PROFILE_LEN_MAX) {
    (void)complain(&to, "profile", "more than %u bytes; give each line a profile of its own",
                   PROFILE_LEN_MAX);
    return NULL;
  }
  if (depth_of(text, len) > PROFILE_DEPTH_MAX) {
    (void)complain(&to, "profile", "nested deeper than %d; docs/profiles.md shows its shape",
                   PROFILE_DEPTH_MAX);
    return NULL;
  }
  profile_file_t *file = calloc(1, sizeof *file);
  if (file) file->root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
  if (file && !file->root) {
    char *near = strstr(error.text, " near "); /* its quotation may be cut within a character */
    if (near) *near = '\0';
    (void)snprintf(why, size, "line %d, column %d: is not JSON: %s; correct it there", error.line,
                   error.column, error.text);
  }
  if (!file || !file->root || !load_profile(&to, file)) profile_destroy(&file);
  return file;
}

profile_file_t *profile_open(const char *path, char *why, size_t size) {
  char inner[PROFILE_WHY] = "it cannot be read; give the path of a profile in JSON";
  FILE *in = fopen(path, "rb");
  char *text = in ? malloc(PROFILE_LEN_MAX + 2) : NULL;
  profile_file_t *file = NULL;
  if (text) {
    size_t len = fread(text, 1, PROFILE_LEN_MAX + 1, in);
    if (!ferror(in)) file = profile_parse(text, len, inner, sizeof inner);
  }
  if (!file) (void)snprintf(why, size, "%s: %s", path, inner);
  free(text);
  if (in) (void)fclose(in);
  return file;
}

void profile_destroy(profile_file_t **self) {
  profile_file_t *file = *self;
  if (!file) return;
  for (size_t i = 0; file->modules && i < REGISTERS_MODULES_MAX; i++)
    free((void *)file->modules[i].rows);
  free(file->classes);
  free(file->modules);
  free(file->motors);
  json_decref(file->root);
  free(file);
  *self = NULL;
}

const register_profile_t *profile_of(const profile_file_t *file) {
  return &file->profile;
}
