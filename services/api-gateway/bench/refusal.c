/* 422: {"detail": [{"loc", "msg", "type"}]}, in the words that the bench's clients know. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#include "bench.h"

typedef struct words {
  char msg[192];
  const char *type;
} words_t;

static bool is_whole(const char *text) {
  return text[0] && text[strspn(text, "+-0123456789")] == '\0';
}

static bool is_number(const char *text) {
  char *end;
  double value = strtod(text, &end);

  return text[0] && text[strspn(text, "+-.0123456789eE")] == '\0' && *end == '\0' &&
         isfinite(value);
}

bool bench_query_is_finite(exchange_t *x, gantry_fault_t *fault) {
  const desc_t *params = x->endpoint->params;
  const char *query = x->query.len ? (const char *)x->query.data : NULL;

  for (uint32_t i = 0; i < params->field_count; i++) {
    const char *text = route_query(query, params->fields[i].name);
    bool real = params->fields[i].type == DESC_F64;
    if (!real || !text || is_number(text)) continue;
    fault_set(fault, GANTRY_E_SCHEMA, params->fields[i].name, "must be a number");
    return false;
  }
  return true;
}

static void name_choices(const desc_enum_t *choices, words_t *out) {
  size_t len = (size_t)snprintf(out->msg, sizeof out->msg, "Input should be ");

  out->type = "enum";
  for (uint32_t i = 0; i < choices->count && len < sizeof out->msg; i++) {
    const char *before = i == 0 ? "" : i + 1 == choices->count ? " or " : ", ";
    len += (size_t)snprintf(out->msg + len, sizeof out->msg - len, "%s'%s'", before,
                            choices->texts[i]);
  }
}

static void say_bounds(const desc_field_t *field, double value, words_t *out) {
  bool low = value < field->min;

  out->type = low ? "greater_than_equal" : "less_than_equal";
  snprintf(out->msg, sizeof out->msg, "Input should be %s than or equal to %g",
           low ? "greater" : "less", low ? field->min : field->max);
}

/* A parameter of the query: text as it came, NULL when it did not. */
static void say_parameter(const desc_field_t *field, const char *text, words_t *out) {
  bool real = field->type == DESC_F64;

  if (!text) {
    *out = (words_t){"Field required", "missing"};
  } else if (field->type == DESC_ENUM) {
    name_choices(field->enumeration, out);
  } else if (field->type == DESC_TEXT) {
    out->type = "string_too_long";
    snprintf(out->msg, sizeof out->msg, "String should have at most %u bytes", field->max_len);
  } else if (real ? !is_number(text) : !is_whole(text)) {
    out->type = real ? "float_parsing" : "int_parsing";
    snprintf(out->msg, sizeof out->msg, "Input should be a valid %s, unable to parse string",
             real ? "number" : "integer");
  } else {
    say_bounds(field, strtod(text, NULL), out);
  }
}

static void say_body(const gantry_fault_t *fault, words_t *out) {
  bool broken = !strncmp(fault->detail, "not JSON", 8);

  out->type = broken ? "json_invalid" : fault->field[0] ? "value_error" : "model_type";
  snprintf(out->msg, sizeof out->msg, "%s%.150s", broken ? "JSON decode error: " : "",
           fault->detail);
}

void bench_refuse(exchange_t *x, const gantry_fault_t *fault, bool in_query) {
  const desc_t *params = x->endpoint ? x->endpoint->params : NULL;
  const desc_field_t *field =
      in_query && params ? desc_find(params, fault->field, strlen(fault->field)) : NULL;
  const char *query = x->query.len ? (const char *)x->query.data : NULL;
  /* said by who knows more than the schema */
  bool is_sentence = fault->err == GANTRY_E_INVALID || !strncmp(fault->detail, "Input should", 12);
  words_t words;

  say_body(fault, &words);
  if (field && !is_sentence)
    say_parameter(field, route_query(query, fault->field), &words);
  else if (field)
    words.type = "enum";
  exchange_begin(x);
  buf_printf(&x->out, "{\"detail\":[{\"loc\":[\"%s\"", in_query ? "query" : "body");
  if (fault->field[0]) {
    buf_put_byte(&x->out, ',');
    json_write_text(&x->out, fault->field, strlen(fault->field));
  }
  buf_put_text(&x->out, "],\"msg\":");
  json_write_text(&x->out, words.msg, strlen(words.msg));
  buf_printf(&x->out, ",\"type\":\"%s\"}]}", words.type);
  exchange_finish(x, 422, "application/json");
}
