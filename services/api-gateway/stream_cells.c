/* The answer is written once around an empty array; the rows go in its place. */
#include "stream_cells.h"

#include <stdlib.h>
#include <string.h>

#include <gantry/json.h>

#include "envelope.h"
#include "stream.h"
#include "view.h"

enum { PIECE_CELLS = 64u << 10 }; /* half a millisecond */

static const char EMPTY[] = "\"data\":[]";

/* At the beginning of x->scratch; behind it what follows the rows. Their cells are x->held. */
typedef struct state {
  view_rows_t rows;
  size_t tail_len;
} state_t;

static void fail(exchange_t *x, const char *why) {
  exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "%s", why);
}

/* The last place: no text follows the cells in any answer. */
static char *find_array(char *text) {
  char *found = NULL;

  for (char *at = text; (at = strstr(at, EMPTY)); at++)
    found = at + sizeof EMPTY - 3;
  return found;
}

static void put_next(exchange_t *x) {
  state_t *state = (void *)x->scratch.data;
  buf_t piece = {.limit = 1u << 20};
  bool last = false;

  gantry_err_t err = view_rows_put(&state->rows, PIECE_CELLS, &piece, &last);
  if (last) buf_put(&piece, x->scratch.data + sizeof *state, state->tail_len);
  if (err != GANTRY_OK || buf_err(&piece) != GANTRY_OK)
    stream_break(x, "memory ran out");
  else
    stream_put(x, piece.data, piece.len, last);
  buf_fini(&piece);
}

static void begin(exchange_t *x, char *text, const map_info_t *info, shared_t *cells) {
  char *array = find_array(text);
  char *tail = array + strlen("[]");
  blob_t bytes = shared_bytes(cells);
  state_t state = {.rows = view_rows_begin(&bytes, info->width, info->height),
                   .tail_len = strlen(tail)};
  uint64_t len;

  if (view_rows_length(state.rows, &len) != GANTRY_OK) {
    fail(x, "The map's cells do not fill its size.");
    return;
  }
  x->head.has_length = true;
  x->head.length = (uint64_t)(array - text) + len + state.tail_len;
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &state, sizeof state);
  buf_put(&x->scratch, tail, state.tail_len);
  if (buf_err(&x->scratch) != GANTRY_OK) {
    fail(x, "Out of memory.");
    return;
  }
  x->held = shared_hold(cells);
  stream_begin(x, x->endpoint->status, "application/json", text, (size_t)(array - text), false,
               put_next);
}

static void answer_in_pieces(exchange_t *x, const void *value, http_occupancy_t *occupancy,
                             const map_info_t *info, shared_t *cells) {
  buf_t text = {.limit = 64u << 10};

  if (!stream_admit(x)) return;
  occupancy->data = (blob_t){.data = (const uint8_t *)"[]", .len = 2};
  if (json_write(x->endpoint->answer, value, &text) == GANTRY_OK &&
      find_array((char *)buf_text(&text)))
    begin(x, (char *)text.data, info, cells);
  else
    fail(x, "The answer could not be written.");
  buf_fini(&text);
}

static void answer_whole(exchange_t *x, const void *value, http_occupancy_t *occupancy,
                         const map_info_t *info, const blob_t *cells) {
  buf_reset(&x->scratch);
  if (view_grid_rows(cells, info->width, info->height, &x->scratch) != GANTRY_OK) {
    fail(x, "The map's cells do not fill its size.");
    return;
  }
  occupancy->data = (blob_t){.data = x->scratch.data, .len = x->scratch.len};
  exchange_answer(x, value);
}

void stream_cells(exchange_t *x, const void *value, http_occupancy_t *occupancy,
                  const map_info_t *info, shared_t *cells) {
  blob_t bytes = shared_bytes(cells);

  if (!cells)
    fail(x, "Out of memory.");
  else if ((uint64_t)info->width * info->height <= PIECE_CELLS)
    answer_whole(x, value, occupancy, info, &bytes);
  else
    answer_in_pieces(x, value, occupancy, info, cells);
}
