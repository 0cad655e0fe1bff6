/* Columns → texts. Nothing is believed: every length and count is checked against what is there. */
#include <stdlib.h>
#include <string.h>

#include "number_text.h"
#include "shred_shape.h"

/* A list of numbers in a template: the numbers of all its rows, of which some are printed. */
typedef struct hole {
  numbers_t mode;
  int decimals;
  size_t counts; /* pool index of the next row's count */
  size_t values; /* pool index of the next number, or of its length */
  span_t texts;  /* NUMBERS_TEXTS: what is left of them */
} hole_t;

typedef struct template {
  span_t text;
  size_t first_hole, hole_count;
  size_t rows;
}
template_t;

typedef struct take {
  span_t *in;
  template_t templates[TEMPLATES_MAX];
  size_t template_count;
  hole_t *holes; /* owned; of all templates */
  size_t hole_count;
  int64_t *pool; /* owned; counts and values of all holes */
  size_t used;
} take_t;

/* Numbers, their counts, and lengths of rows: none of them can be without a byte of text. */
#define POOL_MAX ((size_t)3 * SHRED_TEXT_MAX)

static bool take_span(span_t *in, uint64_t len, span_t *out) {
  if (len > (uint64_t)(in->end - in->at)) return false;
  *out = (span_t){in->at, in->at + len};
  in->at += len;
  return true;
}

static int64_t *pool_take(take_t *take, size_t count) {
  if (count > POOL_MAX - take->used) return NULL;
  int64_t *at = take->pool + take->used;
  take->used += count;
  return at;
}

/* The sum of what may not be negative; false when it passes SHRED_TEXT_MAX. */
static bool sum_of(const int64_t *values, size_t count, size_t *sum) {
  *sum = 0;
  for (size_t i = 0; i < count; i++) {
    if (values[i] < 0 || values[i] > (int64_t)(SHRED_TEXT_MAX - *sum)) return false;
    *sum += (size_t)values[i];
  }
  return true;
}

static bool take_lengths(take_t *take, size_t count, hole_t *hole) {
  size_t bytes;
  int64_t *lengths = pool_take(take, count);
  return lengths && column_take_ints(take->in, lengths, count) && sum_of(lengths, count, &bytes) &&
         take_span(take->in, bytes, &hole->texts);
}

static bool take_reals(take_t *take, int64_t *values, size_t count) {
  double *reals = malloc((count + 1) * sizeof *reals);
  bool ok = reals && column_take_reals(take->in, reals, count, values);
  if (ok) memcpy(values, reals, count * sizeof *values);
  free(reals);
  return ok;
}

static bool take_hole(take_t *take, size_t rows, hole_t *hole) {
  size_t count;
  hole->counts = take->used;
  int64_t *counts = pool_take(take, rows);
  if (!counts || !column_take_ints(take->in, counts, rows)) return false;
  if (!sum_of(counts, rows, &count) || take->in->at == take->in->end) return false;
  hole->mode = (numbers_t)*take->in->at++;
  hole->values = take->used;
  if (hole->mode == NUMBERS_TEXTS) return take_lengths(take, count, hole);
  int64_t *values = pool_take(take, count);
  if (!values) return false;
  if (hole->mode == NUMBERS_REAL) return take_reals(take, values, count);
  if (hole->mode > NUMBERS_SHORT || take->in->at == take->in->end) return false;
  hole->decimals = *take->in->at++;
  return hole->decimals <= NUMBER_DIGITS_MAX && column_take_ints(take->in, values, count);
}

static bool take_template(take_t *take) {
  template_t *template = &take->templates[take->template_count++];
  uint64_t len;
  if (!column_take_count(take->in, &len) || !take_span(take->in, len, &template->text))
    return false;
  for (const uint8_t *at = template->text.at; at < template->text.end; at++)
    template->hole_count += *at == HOLE;
  template->first_hole = take->hole_count;
  take->hole_count += template->hole_count;
  return template->hole_count <= HOLES_MAX;
}

static void print_number(const take_t *take, hole_t *hole, buf_t *out) {
  int64_t value = take->pool[hole->values++];
  double real;
  switch (hole->mode) {
  case NUMBERS_FIXED:
    number_print(out, value, hole->decimals);
    break;
  case NUMBERS_SHORT:
    number_print_short(out, value, hole->decimals);
    break;
  case NUMBERS_REAL:
    memcpy(&real, &value, sizeof real);
    number_print_real(out, real);
    break;
  case NUMBERS_TEXTS:
    buf_put(out, hole->texts.at, (size_t)value);
    hole->texts.at += value;
    break;
  }
}

static void print_row(const take_t *take, const template_t *template, buf_t *out) {
  hole_t *hole = take->holes + template->first_hole;
  for (const uint8_t *at = template->text.at; at < template->text.end; at++) {
    if (*at != HOLE) {
      buf_put_byte(out, *at);
      continue;
    }
    int64_t count = take->pool[hole->counts++];
    for (int64_t i = 0; i < count; i++) {
      if (i) buf_put_byte(out, ',');
      print_number(take, hole, out);
    }
    hole++;
  }
  buf_put_byte(out, 0);
}

static bool take_shapes(take_t *take) {
  uint64_t templates;
  if (!column_take_count(take->in, &templates) || templates > TEMPLATES_MAX) return false;
  while (take->template_count < templates)
    if (!take_template(take)) return false;
  take->holes = calloc(take->hole_count + 1, sizeof *take->holes);
  return take->holes != NULL;
}

static bool take_templates(take_t *take, size_t count, buf_t *out) {
  size_t before = out->len;
  if (!take_shapes(take)) return false;
  int64_t *which = pool_take(take, count);
  if (!which || !column_take_ints(take->in, which, count)) return false;
  for (size_t row = 0; row < count; row++) {
    if (which[row] < 0 || which[row] >= (int64_t)take->template_count) return false;
    take->templates[which[row]].rows++;
  }
  for (size_t i = 0; i < take->template_count; i++) {
    const template_t *template = &take->templates[i];
    for (size_t hole = 0; hole < template->hole_count; hole++)
      if (!take_hole(take, template->rows, &take->holes[template->first_hole + hole])) return false;
  }
  for (size_t row = 0; row < count; row++) {
    print_row(take, &take->templates[which[row]], out);
    if (out->len - before > SHRED_TEXT_MAX || out->failed) return false;
  }
  return true;
}

static bool take_texts(take_t *take, size_t count, buf_t *out) {
  hole_t texts = {0};
  if (!take_lengths(take, count, &texts)) return false;
  for (size_t i = 0; i < count; i++) {
    buf_put(out, texts.texts.at, (size_t)take->pool[i]);
    buf_put_byte(out, 0);
    texts.texts.at += take->pool[i];
  }
  return buf_err(out) == GANTRY_OK;
}

/* A text with a NUL of its own would be two. */
static bool has_texts(const buf_t *out, size_t before, size_t count) {
  size_t found = 0;
  for (size_t i = before; i < out->len; i++)
    found += out->data[i] == 0;
  return found == count && out->len - before <= SHRED_TEXT_MAX;
}

bool shred_take(span_t *in, size_t count, buf_t *out) {
  take_t take = {.in = in};
  size_t before = out->len;
  bool ok = false;
  if (count == 0) return true;
  if (count > SHRED_TEXT_MAX || in->at == in->end) return false;
  uint8_t shape = *in->at++;
  take.pool = malloc(POOL_MAX * sizeof *take.pool);
  if (take.pool && shape == SHAPE_TEXTS) ok = take_texts(&take, count, out);
  if (take.pool && shape == SHAPE_TEMPLATES) ok = take_templates(&take, count, out);
  free(take.holes);
  free(take.pool);
  return ok && has_texts(out, before, count);
}
