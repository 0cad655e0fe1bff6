/* Writes a profile in the language that profile_json.c reads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile_json.h"

static void put_text(FILE *out, const char *text) {
  (void)fputc('"', out);
  for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
    if (*c == '"' || *c == '\\')
      (void)fprintf(out, "\\%c", *c);
    else if (*c < 0x20)
      (void)fprintf(out, "\\u%04x", *c);
    else
      (void)fputc(*c, out);
  }
  (void)fputc('"', out);
}

static void put_key_text(FILE *out, const char *key, const char *text) {
  (void)fprintf(out, ", \"%s\": ", key);
  put_text(out, text);
}

/* The shortest that reads back the same. */
static void put_number(FILE *out, const char *key, double number) {
  char text[40] = "";
  for (int digits = 6; digits <= 17; digits++) {
    (void)snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  (void)fprintf(out, ", \"%s\": %s", key, text);
}

static void put_whole(FILE *out, const char *key, int64_t number) {
  (void)fprintf(out, ", \"%s\": %lld", key, (long long)number);
}

static void put_class(FILE *out, const register_class_t *row) {
  (void)fprintf(out, "    \"%s\": {\"doc\": ", row->name);
  put_text(out, row->doc);
  put_number(out, "rate_hz", row->rate_hz);
  put_whole(out, "rank", row->rank);
  if (row->least) put_whole(out, "least", row->least);
  (void)fputc('}', out);
}

static void put_row(FILE *out, const register_profile_t *profile, const register_row_t *row) {
  (void)fprintf(out, "        \"%s\": {\"address\": \"0x%04X\"", row->name, row->address);
  if (row->type != REGISTER_U16) put_key_text(out, "type", registers_type_name(row->type));
  if (row->scale != 1.0) put_number(out, "scale", row->scale);
  if (row->unit[0]) put_key_text(out, "unit", row->unit);
  if ((row->flags & (REGISTER_READ | REGISTER_WRITE)) != REGISTER_READ)
    put_key_text(out, "mode", registers_mode_name(row->flags));
  if (row->access != REGISTER_USER) put_key_text(out, "access", registers_access_name(row->access));
  if (row->flags & REGISTER_SAFETY) (void)fputs(", \"safety\": true", out);
  if (row->flags & REGISTER_OPTIONAL) (void)fputs(", \"optional\": true", out);
  int64_t low, high;
  registers_limits(row->type, &low, &high);
  if (row->min != low) put_whole(out, "min", row->min);
  if (row->max != high) put_whole(out, "max", row->max);
  if (row->initial != INT64_MIN) put_whole(out, "default", row->initial);
  if (row->poll_class != REGISTER_UNPOLLED)
    put_key_text(out, "class", profile->classes[row->poll_class].name);
  if (row->sensor) put_key_text(out, "sensor", row->sensor);
  put_key_text(out, "doc", row->doc);
  (void)fputc('}', out);
}

static void put_module(FILE *out, const register_profile_t *profile,
                       const register_module_t *module) {
  (void)fprintf(out, "    \"%s\": {\"doc\": ", module->name);
  put_text(out, module->doc);
  if (module->address) (void)fprintf(out, ", \"address\": \"0x%02X\"", module->address);
  if (module->type) put_whole(out, "type", module->type);
  if (module->mandatory) (void)fputs(", \"mandatory\": true", out);
  if (module->row_count) (void)fputs(", \"register\": {\n", out);
  for (size_t i = 0; i < module->row_count; i++) {
    put_row(out, profile, &module->rows[i]);
    (void)fputs(i + 1 < module->row_count ? ",\n" : "}", out);
  }
  (void)fputc('}', out);
}

static void put_motor(FILE *out, const register_profile_t *profile, const register_motor_t *motor) {
  (void)fprintf(out, "    {\"module\": \"%s\"", profile->modules[motor->module].name);
  put_key_text(out, "enable", motor->enable->name);
  put_key_text(out, "setpoint", motor->setpoint->name);
  put_whole(out, "full_scale", motor->full_scale);
  put_key_text(out, "direction", motor->direction->name);
  put_whole(out, "forward", motor->forward);
  put_whole(out, "reverse", motor->reverse);
  if (motor->speed) put_key_text(out, "speed", motor->speed->name);
  if (motor->error) put_key_text(out, "error", motor->error->name);
  (void)fputc('}', out);
}

static void put_end(FILE *out, size_t i, size_t count) {
  (void)fputs(i + 1 < count ? ",\n" : "\n", out);
}

void profile_show(const register_profile_t *profile, FILE *out) {
  (void)fputs("{\n  \"profile\": ", out);
  put_text(out, profile->name);
  (void)fputs(",\n  \"doc\": ", out);
  put_text(out, profile->doc);
  (void)fputs(",\n  \"class\": {\n", out);
  for (size_t i = 0; i < profile->class_count; i++) {
    put_class(out, &profile->classes[i]);
    put_end(out, i, profile->class_count);
  }
  (void)fputs("  },\n  \"module\": {\n", out);
  for (size_t i = 0; i < profile->module_count; i++) {
    put_module(out, profile, &profile->modules[i]);
    put_end(out, i, profile->module_count);
  }
  (void)fputs("  },\n  \"motor\": [\n", out);
  for (size_t i = 0; i < profile->motor_count; i++) {
    put_motor(out, profile, &profile->motors[i]);
    put_end(out, i, profile->motor_count);
  }
  (void)fputs("  ]\n}\n", out);
}
