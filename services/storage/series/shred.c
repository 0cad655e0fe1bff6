/* Texts → templates, the lists of numbers in them, and the columns of those. */
#include <stdlib.h>
#include <string.h>

#include "number_text.h"
#include "shred_shape.h"

typedef struct number {
  const char *at;
  uint32_t len;
} number_t;

/* The lists of one row follow one another. */
typedef struct list {
  uint32_t first, count; /* numbers */
} list_t;

typedef struct shred {
  size_t count;       /* rows */
  uint8_t *which;     /* owned; template of a row */
  uint32_t *lists_at; /* owned; first list of a row, count + 1 */
  list_t *lists;      /* owned */
  number_t *numbers;  /* owned */
  size_t list_count, number_count;
  buf_t templates[TEMPLATES_MAX];
  uint32_t holes[TEMPLATES_MAX];
  uint32_t template_count;
  number_t *column; /* owned; the numbers of one hole */
  int64_t *values;  /* owned; the same as integers */
  double *reals;    /* owned; the same as doubles */
} shred_t;

static void fini(shred_t *shred) {
  for (uint32_t i = 0; i < shred->template_count; i++)
    buf_fini(&shred->templates[i]);
  free(shred->which);
  free(shred->lists_at);
  free(shred->lists);
  free(shred->numbers);
  free(shred->column);
  free(shred->values);
  free(shred->reals);
}

/* A number takes a byte at least, and a comma or a brace follows it. */
static bool init(shred_t *shred, size_t count, size_t bytes) {
  size_t most = bytes / 2 + count + 1;
  *shred = (shred_t){.count = count};
  shred->which = calloc(count, sizeof *shred->which);
  shred->lists_at = calloc(count + 1, sizeof *shred->lists_at);
  shred->lists = calloc(most, sizeof *shred->lists);
  shred->numbers = calloc(most, sizeof *shred->numbers);
  shred->column = calloc(most, sizeof *shred->column);
  shred->values = calloc(most, sizeof *shred->values);
  shred->reals = calloc(most, sizeof *shred->reals);
  return shred->which && shred->lists_at && shred->lists && shred->numbers && shred->column &&
         shred->values && shred->reals;
}

/* A string with its quotes; to the end of the text when it is not closed. */
static const char *pass_string(const char *at) {
  for (at++; *at && *at != '"'; at++)
    if (*at == '\\' && at[1]) at++;
  return *at ? at + 1 : at;
}

/* The numbers from `at` on that commas alone separate. */
static const char *take_list(shred_t *shred, const char *at) {
  list_t *list = &shred->lists[shred->list_count++];
  size_t len = number_len(at);
  *list = (list_t){.first = (uint32_t)shred->number_count};
  for (;;) {
    shred->numbers[shred->number_count++] = (number_t){at, (uint32_t)len};
    list->count++;
    at += len;
    len = *at == ',' ? number_len(at + 1) : 0;
    if (len == 0) return at;
    at++;
  }
}

/* The text with holes for its numbers; false when it has too many, or the hole's own byte. */
static bool take_text(shred_t *shred, const char *text, buf_t *template) {
  size_t before = shred->list_count;
  for (const char *at = text; *at;) {
    const char *from = at;
    if (*at == HOLE) return false;
    if (*at == '"') {
      at = pass_string(at);
      if (memchr(from, HOLE, (size_t)(at - from))) return false;
      buf_put(template, from, (size_t)(at - from));
    } else if (number_len(at)) {
      if (shred->list_count - before == HOLES_MAX) return false;
      at = take_list(shred, at);
      buf_put_byte(template, HOLE);
    } else {
      buf_put_byte(template, (uint8_t)*at++);
    }
  }
  return buf_err(template) == GANTRY_OK;
}

static bool same(const buf_t *a, const buf_t *b) {
  return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Files a row under its template, which is taken over when it is new. */
static bool file_row(shred_t *shred, size_t row, buf_t *template) {
  uint32_t at = row ? shred->which[row - 1] : 0; /* likely the last one's */
  if (at >= shred->template_count || !same(&shred->templates[at], template))
    for (at = 0; at < shred->template_count && !same(&shred->templates[at], template);)
      at++;
  if (at == TEMPLATES_MAX) return false;
  shred->which[row] = (uint8_t)at;
  if (at < shred->template_count) return true;
  shred->holes[at] = (uint32_t)(shred->list_count - shred->lists_at[row]);
  shred->templates[shred->template_count++] = *template;
  *template = (buf_t){0};
  return true;
}

static bool split(shred_t *shred, const char *const *texts) {
  buf_t template = {0};
  bool ok = true;
  for (size_t row = 0; row < shred->count && ok; row++) {
    shred->lists_at[row] = (uint32_t)shred->list_count;
    buf_reset(&template);
    ok = take_text(shred, texts[row], &template) && file_row(shred, row, &template);
  }
  shred->lists_at[shred->count] = (uint32_t)shred->list_count;
  buf_fini(&template);
  /* Templates that nearly every row needs one of its own are texts. */
  return ok && shred->template_count <= shred->count / 4 + 1;
}

static void put_texts(buf_t *out, const number_t *texts, size_t count, int64_t *values) {
  for (size_t i = 0; i < count; i++)
    values[i] = texts[i].len;
  column_put_ints(out, values, count);
  for (size_t i = 0; i < count; i++)
    buf_put(out, texts[i].at, texts[i].len);
}

/* Integers of `decimals` decimals that print back as the column, all alike or all without zeros at
   the end; false when there are none. */
static bool as_decimals(shred_t *shred, size_t count, numbers_t *mode, int *decimals) {
  bool fixed = true, brief = true;
  int each, most = 0;
  for (size_t i = 0; i < count; i++) {
    const number_t *number = &shred->column[i];
    if (!number_parse(number->at, number->len, &shred->values[i], &each)) return false;
    fixed = fixed && (i == 0 || each == most);
    brief = brief && (each == 0 || shred->values[i] % 10 != 0);
    if (each > most) most = each;
  }
  *mode = fixed ? NUMBERS_FIXED : NUMBERS_SHORT;
  *decimals = most;
  for (size_t i = 0; i < count && !fixed && brief; i++) {
    (void)number_parse(shred->column[i].at, shred->column[i].len, &shred->values[i], &each);
    for (; each < most && brief; each++)
      brief = !__builtin_mul_overflow(shred->values[i], 10, &shred->values[i]);
  }
  return fixed || brief;
}

static bool as_reals(shred_t *shred, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!number_parse_real(shred->column[i].at, shred->column[i].len, &shred->reals[i]))
      return false;
  return true;
}

static void put_numbers(shred_t *shred, size_t count, buf_t *out) {
  numbers_t mode = NUMBERS_TEXTS;
  int decimals = 0;
  bool decimal = as_decimals(shred, count, &mode, &decimals);
  /* Measured numbers of many digits often are few different doubles. */
  if ((!decimal || decimals > DECIMALS_PLAIN) && as_reals(shred, count)) {
    buf_put_byte(out, NUMBERS_REAL);
    column_put_reals(out, shred->reals, count, shred->values);
    return;
  }
  buf_put_byte(out, decimal ? (uint8_t)mode : NUMBERS_TEXTS);
  if (decimal) {
    buf_put_byte(out, (uint8_t)decimals);
    column_put_ints(out, shred->values, count);
  } else {
    put_texts(out, shred->column, count, shred->values);
  }
}

static void put_hole(shred_t *shred, uint32_t template, uint32_t hole, buf_t *out) {
  size_t rows = 0, count = 0;
  for (size_t row = 0; row < shred->count; row++) {
    if (shred->which[row] != template) continue;
    const list_t *list = &shred->lists[shred->lists_at[row] + hole];
    shred->values[rows++] = list->count;
    for (uint32_t i = 0; i < list->count; i++)
      shred->column[count++] = shred->numbers[list->first + i];
  }
  column_put_ints(out, shred->values, rows);
  put_numbers(shred, count, out);
}

static void put_templates(shred_t *shred, buf_t *out) {
  buf_put_byte(out, SHAPE_TEMPLATES);
  column_put_count(out, shred->template_count);
  for (uint32_t i = 0; i < shred->template_count; i++) {
    column_put_count(out, shred->templates[i].len);
    buf_put(out, shred->templates[i].data, shred->templates[i].len);
  }
  for (size_t row = 0; row < shred->count; row++)
    shred->values[row] = shred->which[row];
  column_put_ints(out, shred->values, shred->count);
  for (uint32_t i = 0; i < shred->template_count; i++)
    for (uint32_t hole = 0; hole < shred->holes[i]; hole++)
      put_hole(shred, i, hole, out);
}

void shred_put(buf_t *out, const char *const *texts, size_t count) {
  shred_t shred;
  size_t bytes = count;
  if (count == 0) return;
  for (size_t i = 0; i < count; i++)
    bytes += strlen(texts[i]);
  if (!init(&shred, count, bytes)) {
    out->failed = true;
  } else if (split(&shred, texts)) {
    put_templates(&shred, out);
  } else {
    buf_put_byte(out, SHAPE_TEXTS);
    for (size_t i = 0; i < count; i++)
      shred.column[i] = (number_t){texts[i], (uint32_t)strlen(texts[i])};
    put_texts(out, shred.column, count, shred.values);
  }
  fini(&shred);
}
