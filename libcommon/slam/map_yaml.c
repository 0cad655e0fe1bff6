/* The few lines of YAML beside a map image: keys at the margin with plain, quoted or list values.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/slam/map_image_read.h>

enum { VALUE_MAX = 300, ORIGIN_NUMBERS = 3, LINES_MAX = 1000 };

/* Text that is read line by line. */
typedef struct lines {
  const char *at, *end;
} lines_t;

/* The keys as they are written; empty when absent. */
typedef struct entries {
  char image[VALUE_MAX], resolution[VALUE_MAX], origin[VALUE_MAX], negate[VALUE_MAX];
  char occupied_thresh[VALUE_MAX], free_thresh[VALUE_MAX], mode[VALUE_MAX];
} entries_t;

/* Cuts the next line off, without its end, its comment and trailing blanks. */
static bool next_line(lines_t *lines, char line[VALUE_MAX]) {
  if (lines->at >= lines->end) return false;
  const char *stop = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
  if (!stop) stop = lines->end;
  size_t len = (size_t)(stop - lines->at);
  if (len >= VALUE_MAX) len = VALUE_MAX - 1;
  memcpy(line, lines->at, len);
  line[len] = '\0';
  lines->at = stop + (stop < lines->end);
  for (char *c = line; *c; c++) {
    if (*c != '#' || (c != line && !isblank((unsigned char)c[-1]))) continue;
    *c = '\0';
    break;
  }
  for (len = strlen(line); len > 0 && isspace((unsigned char)line[len - 1]);)
    line[--len] = '\0';
  return true;
}

static char *entry_of(entries_t *entries, const char *key) {
  const struct {
    const char *key;
    char *value;
  } table[] = {{"image", entries->image},
               {"resolution", entries->resolution},
               {"origin", entries->origin},
               {"negate", entries->negate},
               {"occupied_thresh", entries->occupied_thresh},
               {"free_thresh", entries->free_thresh},
               {"mode", entries->mode}};
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    if (strcmp(table[i].key, key) == 0) return table[i].value;
  return NULL;
}

static void append(char value[VALUE_MAX], const char *text) {
  size_t used = strlen(value);
  size_t more = strnlen(text, VALUE_MAX - 1 - used);
  memcpy(value + used, text, more);
  value[used + more] = '\0';
}

/* Takes a value without the quotes around it. */
static void set_value(char value[VALUE_MAX], const char *text) {
  size_t len = strlen(text);
  bool quoted = len >= 2 && (*text == '"' || *text == '\'') && text[len - 1] == *text;
  value[0] = '\0';
  append(value, text + quoted);
  if (quoted) value[len - 2] = '\0';
}

static gantry_err_t read_entries(const char *text, size_t len, entries_t *entries,
                                 gantry_fault_t *fault) {
  lines_t lines = {.at = text, .end = text + len};
  char line[VALUE_MAX];
  char *open = NULL; /* the value of a key with nothing behind it: a list may follow */
  int number = 0;
  while (next_line(&lines, line)) {
    const char *item = line + strspn(line, " \t");
    if (++number > LINES_MAX) break;
    if (open && *item == '-' && isblank((unsigned char)item[1])) {
      append(open, item + 1);
      append(open, ",");
      continue;
    }
    if (*item == '\0' || strcmp(item, "---") == 0 || item != line) continue;
    char *colon = strchr(line, ':');
    if (!colon || (colon[1] != '\0' && !isblank((unsigned char)colon[1])))
      return fault_set(fault, GANTRY_E_SCHEMA, "yaml", "line %d is no \"key: value\"", number);
    *colon = '\0';
    char *value = entry_of(entries, line);
    const char *rest = colon + 1 + strspn(colon + 1, " \t");
    if (value) set_value(value, rest);
    open = value && *rest == '\0' ? value : NULL;
  }
  return GANTRY_OK;
}

/* One number and nothing behind it. */
static bool number_of(const char *text, double *out) {
  char *end = NULL;
  *out = strtod(text, &end);
  return end != text && *end == '\0' && isfinite(*out);
}

static gantry_err_t bounded(const char *key, const char *text, double low, double high, double *out,
                            gantry_fault_t *fault) {
  if (!number_of(text, out))
    return fault_set(fault, GANTRY_E_SCHEMA, key, "%s wants a number, not \"%.40s\"", key, text);
  if (*out >= low && *out <= high) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, key, "%s is %g; it must lie between %g and %g", key,
                   *out, low, high);
}

/* [x, y, yaw], with or without its brackets. */
static gantry_err_t read_origin(const char *text, map_yaml_t *out, gantry_fault_t *fault) {
  double numbers[ORIGIN_NUMBERS];
  int count = 0;
  const char *at = text + (*text == '[');
  for (char *end = NULL; count < ORIGIN_NUMBERS; at = end) {
    at += strspn(at, " \t,");
    numbers[count] = strtod(at, &end);
    if (end == at || !isfinite(numbers[count])) break;
    count++;
  }
  at += strspn(at, " \t,]");
  if (count != ORIGIN_NUMBERS || *at != '\0')
    return fault_set(fault, GANTRY_E_SCHEMA, "origin", "origin wants [x, y, yaw], not \"%.40s\"",
                     text);
  if (numbers[2] != 0.0)
    return fault_set(fault, GANTRY_E_INVALID, "origin",
                     "origin is turned by %g rad; turn the image and set its yaw to 0", numbers[2]);
  for (int i = 0; i < 2; i++)
    if (fabs(numbers[i]) > 1e6)
      return fault_set(fault, GANTRY_E_INVALID, "origin", "origin lies beyond 1000 km");
  out->origin_x_m = numbers[0];
  out->origin_y_m = numbers[1];
  return GANTRY_OK;
}

static gantry_err_t read_negate(const char *text, bool *out, gantry_fault_t *fault) {
  static const char *const NO[] = {"", "0", "false", "False", "no"};
  static const char *const YES[] = {"1", "true", "True", "yes"};
  for (size_t i = 0; i < sizeof NO / sizeof *NO; i++)
    if (strcmp(text, NO[i]) == 0) {
      *out = false;
      return GANTRY_OK;
    }
  for (size_t i = 0; i < sizeof YES / sizeof *YES; i++)
    if (strcmp(text, YES[i]) == 0) {
      *out = true;
      return GANTRY_OK;
    }
  return fault_set(fault, GANTRY_E_SCHEMA, "negate", "negate wants 0 or 1, not \"%.40s\"", text);
}

static gantry_err_t read_thresholds(const entries_t *entries, map_yaml_t *out,
                                    gantry_fault_t *fault) {
  const char *occupied = *entries->occupied_thresh ? entries->occupied_thresh : "0.65";
  const char *free = *entries->free_thresh ? entries->free_thresh : "0.196";
  GANTRY_TRY(bounded("occupied_thresh", occupied, 0.0, 1.0, &out->occupied_thresh, fault));
  GANTRY_TRY(bounded("free_thresh", free, 0.0, 1.0, &out->free_thresh, fault));
  if (out->free_thresh <= out->occupied_thresh) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "free_thresh",
                   "free_thresh %g lies above occupied_thresh %g", out->free_thresh,
                   out->occupied_thresh);
}

gantry_err_t map_yaml_parse(const char *text, size_t len, map_yaml_t *out, gantry_fault_t *fault) {
  entries_t entries = {0};
  *out = (map_yaml_t){0};
  if (memchr(text, '\0', len))
    return fault_set(fault, GANTRY_E_SCHEMA, "yaml", "this is no text; give the map's YAML");
  GANTRY_TRY(read_entries(text, len, &entries, fault));
  if (*entries.image == '\0')
    return fault_set(fault, GANTRY_E_SCHEMA, "image", "the YAML names no image");
  if (strlen(entries.image) > MAP_IMAGE_NAME_MAX)
    return fault_set(fault, GANTRY_E_INVALID, "image", "the image's name is longer than %d bytes",
                     MAP_IMAGE_NAME_MAX);
  if (*entries.mode != '\0' && strcmp(entries.mode, "trinary") != 0)
    return fault_set(fault, GANTRY_E_INVALID, "mode", "mode is \"%.40s\"; only trinary is read",
                     entries.mode);
  memcpy(out->image, entries.image, strlen(entries.image));
  GANTRY_TRY(bounded("resolution", entries.resolution, 0.01, 1.0, &out->resolution_m, fault));
  GANTRY_TRY(read_origin(entries.origin, out, fault));
  GANTRY_TRY(read_negate(entries.negate, &out->negate, fault));
  return read_thresholds(&entries, out, fault);
}
