/* One copy of the cells, the forms made of it, and who waits for which. */
#include "active_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>

#include "range.h"

/* An exchange that waits, with one hold. */
typedef struct waiter {
  exchange_t *x;
  map_form_t form;
  uint64_t number; /* of the cells that its form is to be made of, or newer; 0: waits for cells */
  char mark[24];
  exchange_fn answer;
} waiter_t;

typedef struct sheet {
  map_info_t info;          /* of the cells it was made of */
  map_info_t next;          /* of those that the job under way was given */
  shared_t *bytes, *packed; /* held; packed NULL: that does not pay */
  uint64_t made;            /* number of the cells it was made of; 0: none */
  uint64_t making;          /* the same, of the job under way */
  active_map_t *map;
} sheet_t;

struct active_map {
  gateway_t *gateway;
  picture_t *pictures; /* a thread of its own: stored maps do not hold up the live one */
  uint64_t number;     /* counts what was fetched; 0: nothing yet */
  bool stale, asking;
  char heard_id[sizeof((map_info_t){0}.map_id)];
  uint64_t heard_revision;
  sheet_t sheets[MAP_FORM_COUNT];
  tiles_t tiles;
  tiles_told_t told;
  buf_t waiters; /* of waiter_t */
};

gantry_err_t active_map_new(gateway_t *gateway, active_map_t **out) {
  active_map_t *self = calloc(1, sizeof *self);

  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->gateway = gateway;
  for (int i = 0; i < MAP_FORM_COUNT; i++)
    self->sheets[i].map = self;
  return picture_new(gateway->service->loop, &self->pictures);
}

void active_map_destroy(active_map_t **self) {
  active_map_t *map = *self;

  if (!map) return;
  picture_destroy(&map->pictures);
  for (int i = 0; i < MAP_FORM_COUNT; i++) {
    shared_drop(&map->sheets[i].bytes);
    shared_drop(&map->sheets[i].packed);
  }
  tiles_fini(&map->tiles);
  buf_fini(&map->waiters);
  free(map);
  *self = NULL;
}

const map_info_t *active_map_info(const active_map_t *self, map_form_t form) {
  return &self->sheets[form].info;
}

shared_t *active_map_bytes(const active_map_t *self, map_form_t form) {
  return self->sheets[form].bytes;
}

shared_t *active_map_packed(const active_map_t *self, map_form_t form) {
  return self->sheets[form].packed;
}

const tiles_t *active_map_tiles(const active_map_t *self) {
  return &self->tiles;
}

/* ---- whether the cells are the newest */

void active_map_heard(active_map_t *self, const char *map_id, uint64_t revision) {
  const map_info_t *info = &self->sheets[MAP_FORM_CELLS].info;

  snprintf(self->heard_id, sizeof self->heard_id, "%s", map_id);
  self->heard_revision = revision;
  /* Also an earlier one: the map was loaded anew, maybe through another gateway. */
  if (strcmp(info->map_id, map_id) != 0 || info->revision != revision) self->stale = true;
}

void active_map_told(active_map_t *self, const map_patch_t *patch) {
  tiles_tell(&self->told, patch);
  active_map_heard(self, patch->map_id, patch->revision);
}

void active_map_forget(active_map_t *self) {
  self->stale = true;
}

static bool is_newest(const active_map_t *self) {
  const latest_t *latest = self->gateway->latest;

  return self->number && !self->stale &&
         !latest_is_silent(&latest->map_status_at, clock_mono_ns(), LATEST_STATE_MS);
}

/* ---- answering */

static gantry_err_t wait_for(active_map_t *self, const waiter_t *waiter) {
  buf_put(&self->waiters, waiter, sizeof *waiter);
  if (buf_err(&self->waiters) != GANTRY_OK) return GANTRY_E_INTERNAL;
  waiter->x->holds++;
  waiter->x->working = true;
  return GANTRY_OK;
}

/* Takes one that waits for that form of cells up to number; number 0: for any cells. The last moves
   into its place: thousands may wait, and none of them is before another. */
static bool take_waiter(active_map_t *self, map_form_t form, uint64_t number, waiter_t *out) {
  buf_t *waiters = &self->waiters;

  for (size_t at = 0; at < waiters->len; at += sizeof *out) {
    memcpy(out, waiters->data + at, sizeof *out);
    bool mine = number ? out->form == form && out->number && out->number <= number : !out->number;
    if (!mine) continue;
    waiters->len -= sizeof *out;
    memmove(waiters->data + at, waiters->data + waiters->len, sizeof *out);
    out->x->working = false;
    return true;
  }
  return false;
}

static void fail_waiters(active_map_t *self, map_form_t form, uint64_t number,
                         const gantry_fault_t *fault) {
  waiter_t waiter;

  while (take_waiter(self, form, number, &waiter)) {
    exchange_fail_fault(waiter.x, fault);
    exchange_release(waiter.x);
  }
}

/* W/"<map>.<revision>.<mark>" into the answer's headers: weak, because the answer's own time
   differs. Whether the client named it. */
static bool tag(const map_info_t *info, const waiter_t *waiter) {
  exchange_t *x = waiter->x;
  char text[sizeof x->etag - 16];

  snprintf(text, sizeof text, "%s.%llu.%s", info->map_id, (unsigned long long)info->revision,
           waiter->mark);
  for (char *at = text; *at; at++)
    if (!isgraph((unsigned char)*at) || *at == '"') *at = '_';
  snprintf(x->etag, sizeof x->etag, "ETag: W/\"%s\"\r\n", text);
  x->head.extra = x->etag;
  x->head.revalidated = true;
  return range_tag_matches(x->if_none_match, text, true);
}

static void answer_unchanged(exchange_t *x) {
  exchange_begin(x);
  exchange_finish(x, 304, NULL);
}

static void answer(const active_map_t *self, const waiter_t *waiter) {
  if (tag(&self->sheets[waiter->form].info, waiter))
    answer_unchanged(waiter->x);
  else
    waiter->answer(waiter->x);
}

/* ---- forms */

static gantry_err_t make(active_map_t *self, map_form_t form);

/* Those who came for newer cells than the job was given have another made. */
static void go_on(active_map_t *self, map_form_t form) {
  gantry_fault_t fault = {.err = GANTRY_E_INTERNAL, .detail = "Out of memory."};
  bool more = false;

  for (size_t at = 0; at < self->waiters.len; at += sizeof(waiter_t)) {
    waiter_t waiter;
    memcpy(&waiter, self->waiters.data + at, sizeof waiter);
    more = more || (waiter.form == form && waiter.number);
  }
  if (more && make(self, form) != GANTRY_OK) fail_waiters(self, form, UINT64_MAX, &fault);
}

static void on_made(picture_result_t *result, void *arg) {
  sheet_t *sheet = arg;
  active_map_t *self = sheet->map;
  map_form_t form = (map_form_t)(sheet - self->sheets);
  gantry_fault_t fault = result->fault;
  uint64_t number = sheet->making;
  waiter_t waiter;

  sheet->making = 0;
  shared_drop(&sheet->bytes);
  shared_drop(&sheet->packed);
  sheet->bytes = shared_take(&result->bytes);
  if (result->packed.len) sheet->packed = shared_take(&result->packed);
  if (fault.err == GANTRY_OK && !sheet->bytes) fault.err = GANTRY_E_INTERNAL;
  sheet->made = fault.err == GANTRY_OK ? number : 0;
  if (sheet->made)
    sheet->info = sheet->next;
  else
    fail_waiters(self, form, number, &fault);
  while (take_waiter(self, form, number, &waiter)) {
    answer(self, &waiter);
    exchange_release(waiter.x);
  }
  go_on(self, form);
}

static gantry_err_t hand_over(active_map_t *self, map_form_t form) {
  const sheet_t *cells = &self->sheets[MAP_FORM_CELLS];
  picture_t *pictures = self->pictures;
  sheet_t *sheet = &self->sheets[form];

  switch (form) {
  case MAP_FORM_ROWS:
    return picture_rows(pictures, &cells->info, cells->bytes, on_made, sheet);
  case MAP_FORM_RUNS:
    return picture_runs(pictures, &cells->info, cells->bytes, on_made, sheet);
  case MAP_FORM_PNG:
    return picture_write(pictures, &cells->info, cells->bytes, on_made, sheet);
  case MAP_FORM_TILES:
    return picture_tiles(pictures, &cells->info, cells->bytes, &self->tiles, &self->told, on_made,
                         sheet);
  default:
    return GANTRY_E_INTERNAL;
  }
}

static gantry_err_t make(active_map_t *self, map_form_t form) {
  sheet_t *sheet = &self->sheets[form];

  GANTRY_TRY(hand_over(self, form));
  sheet->making = self->number;
  sheet->next = self->sheets[MAP_FORM_CELLS].info;
  return GANTRY_OK;
}

/* The cells are the newest: answers, or sees to it that the form is made. */
static void give(active_map_t *self, waiter_t *waiter) {
  sheet_t *sheet = &self->sheets[waiter->form];

  if (tag(&self->sheets[MAP_FORM_CELLS].info, waiter)) {
    answer_unchanged(waiter->x);
  } else if (sheet->made == self->number && !sheet->making) {
    answer(self, waiter);
  } else if (!sheet->making && make(self, waiter->form) != GANTRY_OK) {
    exchange_fail(waiter->x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  } else {
    waiter->number = self->number;
    if (wait_for(self, waiter) != GANTRY_OK)
      exchange_fail(waiter->x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  }
}

/* ---- cells */

static void take_cells(active_map_t *self, const map_grid_t *grid) {
  sheet_t *cells = &self->sheets[MAP_FORM_CELLS];
  bool behind =
      strcmp(self->heard_id, grid->info.map_id) == 0 && self->heard_revision > grid->info.revision;

  shared_drop(&cells->bytes);
  cells->bytes = shared_copy(grid->cells.data, grid->cells.len);
  cells->info = grid->info;
  self->number++;
  cells->made = cells->bytes ? self->number : 0;
  self->stale = behind || !cells->bytes;
}

static void on_cells(exchange_t *first, const void *reply) {
  active_map_t *self = first->gateway->active_map;
  waiter_t waiter;

  self->asking = false;
  take_cells(self, reply);
  while (take_waiter(self, MAP_FORM_COUNT, 0, &waiter)) {
    give(self, &waiter);
    exchange_release(waiter.x);
  }
}

static void on_no_cells(exchange_t *first, const gantry_fault_t *fault) {
  active_map_t *self = first->gateway->active_map;

  self->asking = false;
  fail_waiters(self, MAP_FORM_COUNT, 0, fault);
}

static waiter_t waiter_of(exchange_t *x, map_form_t form, const char *mark, exchange_fn answer_it) {
  waiter_t waiter = {.x = x, .form = form, .answer = answer_it};

  snprintf(waiter.mark, sizeof waiter.mark, "%s", mark);
  return waiter;
}

void active_map_then(exchange_t *x, map_form_t form, const char *mark, exchange_fn answer_it) {
  waiter_t waiter = waiter_of(x, form, mark, answer_it);

  give(x->gateway->active_map, &waiter);
}

void active_map_want(exchange_t *x, map_form_t form, const char *mark, exchange_fn answer_it) {
  static const sys_empty_t NOTHING = {0};
  active_map_t *self = x->gateway->active_map;
  waiter_t waiter = waiter_of(x, form, mark, answer_it);

  if (is_newest(self)) {
    give(self, &waiter);
  } else if (wait_for(self, &waiter) != GANTRY_OK) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  } else if (!self->asking) {
    self->asking = true;
    exchange_call(x, REQUEST_MAP_GET, &NOTHING, on_cells, on_no_cells);
  }
}
