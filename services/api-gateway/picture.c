/* One worker thread, two mailboxes of pointers: a job travels there and its own result back. */
#include "picture.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/json.h>
#include <gantry/mailbox.h>
#include <gantry/slam/map_codec.h>
#include <gantry/slam/map_image.h>

#include "gzip.h"
#include "view.h"

#define CELLS_BYTES (16u << 20) /* of map.grid */
#define JSON_BYTES  (256u << 20)

static const char UNFILLED[] = "The map's cells do not fill its size.";
static const char NO_ROOM[] = "The map is too large for this form, or memory ran out.";

typedef enum job_kind { JOB_DRAW, JOB_READ, JOB_ROWS, JOB_RUNS, JOB_TILES } job_kind_t;

typedef struct job {
  job_kind_t kind;    /* */
  shared_t *bytes;    /* held: the image, or the coded cells */
  map_yaml_t yaml;    /* of an image */
  map_info_t info;    /* of cells */
  tiles_t *tiles;     /* borrowed */
  tiles_told_t *told; /* owned */
  picture_fn fn;      /* */
  void *arg;          /* */
  picture_result_t result;
} job_t;

struct picture {
  loop_t *loop;
  mailbox_t *jobs, *results; /* of job_t *; NULL ends the thread */
  pthread_t thread;
  bool running;
  uint32_t waiting;
};

static void job_free(job_t *job) {
  if (!job) return;
  buf_fini(&job->result.bytes);
  buf_fini(&job->result.packed);
  shared_drop(&job->bytes);
  free(job->told);
  free(job);
}

static gantry_err_t draw(job_t *job, const map_image_t *image) {
  char *png = NULL;
  size_t len = 0;
  FILE *file = open_memstream(&png, &len);
  if (!file) return GANTRY_E_INTERNAL;
  gantry_err_t err = map_image_write_png(image, file);
  if (fclose(file) != 0 && err == GANTRY_OK) err = GANTRY_E_INTERNAL;
  job->result.bytes.limit = len + 1;
  if (err == GANTRY_OK) buf_put(&job->result.bytes, png, len);
  free(png);
  return err == GANTRY_OK ? buf_err(&job->result.bytes) : err;
}

static void write_image(job_t *job) {
  const map_info_t *info = &job->info;
  gantry_fault_t *fault = &job->result.fault;
  size_t count = (size_t)info->width * info->height;
  if (count == 0) {
    fault_set(fault, GANTRY_E_NOT_FOUND, "map_id", "The map has no cells yet.");
    return;
  }
  int8_t *cells = count <= MAP_IMAGE_CELLS_MAX ? malloc(count) : NULL;
  map_image_t image = {.cells = cells,
                       .box = {.min_x = (int32_t)lround(info->origin_x / info->resolution),
                               .min_y = (int32_t)lround(info->origin_y / info->resolution),
                               .width = info->width,
                               .height = info->height},
                       .resolution_m = info->resolution};
  gantry_err_t err = cells ? map_codec_decode(job->bytes->data, job->bytes->len, cells, count)
                           : GANTRY_E_TOO_LARGE;
  if (err == GANTRY_OK) err = draw(job, &image);
  free(cells);
  if (err != GANTRY_OK) fault_set(fault, err, "", "The map cannot be drawn.");
}

static void read_image(job_t *job) {
  picture_result_t *result = &job->result;
  map_cells_t map = {0};
  if (map_image_decode(job->bytes->data, job->bytes->len, &job->yaml, &map, &result->fault) !=
      GANTRY_OK)
    return;
  result->box = map.box;
  result->resolution_m = map.resolution_m;
  result->bytes.limit = CELLS_BYTES;
  size_t count = (size_t)map.box.width * map.box.height;
  if (map_codec_encode(map.cells, count, &result->bytes) != GANTRY_OK)
    fault_set(&result->fault, GANTRY_E_TOO_LARGE, "image",
              "The map is too ragged: its cells take more than 16 MiB.");
  map_cells_fini(&map);
}

static void pack(picture_result_t *result) {
  result->packed.limit = result->bytes.len + 1;
  (void)gzip_pack(result->bytes.data, result->bytes.len, &result->packed);
}

static gantry_err_t write_json(job_t *job) {
  const map_info_t *info = &job->info;
  blob_t cells = shared_bytes(job->bytes);
  buf_t rows = {.limit = JSON_BYTES};
  http_occupancy_grid_t answer = {
      .success = true, .occupancy_grid = view_occupancy(info), .timestamp = clock_wall_ns()};
  gantry_err_t err = job->kind == JOB_ROWS
                         ? view_grid_rows(&cells, info->width, info->height, &rows)
                         : view_grid_runs(&cells, info->width, info->height, &rows);

  answer.occupancy_grid.data = (blob_t){.data = rows.data, .len = rows.len};
  job->result.bytes.limit = JSON_BYTES;
  if (err == GANTRY_OK) err = json_write(&HTTP_OCCUPANCY_GRID_DESC, &answer, &job->result.bytes);
  buf_fini(&rows);
  return err;
}

static gantry_err_t cut_tiles(job_t *job) {
  blob_t cells = shared_bytes(job->bytes);

  job->result.bytes.limit = JSON_BYTES;
  GANTRY_TRY(tiles_update(job->tiles, &job->info, &cells, job->told));
  return tiles_write(job->tiles, "", 0, &job->result.bytes);
}

static void write_answer(job_t *job) {
  gantry_err_t err = job->kind == JOB_TILES ? cut_tiles(job) : write_json(job);

  if (err != GANTRY_OK)
    fault_set(&job->result.fault, GANTRY_E_INTERNAL, "", "%s",
              err == GANTRY_E_SCHEMA ? UNFILLED : NO_ROOM);
  else
    pack(&job->result);
}

static void do_job(job_t *job) {
  switch (job->kind) {
  case JOB_DRAW:
    write_image(job);
    break;
  case JOB_READ:
    read_image(job);
    break;
  case JOB_ROWS:
  case JOB_RUNS:
  case JOB_TILES:
    write_answer(job);
    break;
  }
}

static void *run_worker(void *arg) {
  picture_t *self = arg;
  job_t *job;
  for (;;) {
    if (!mailbox_wait(self->jobs, (void *)&job, clock_mono_ns() + 3600ull * GANTRY_NS_PER_S))
      continue;
    if (!job) return NULL;
    do_job(job);
    mailbox_send(self->results, (const void *)&job);
  }
}

static void on_result(void *arg) {
  picture_t *self = arg;
  job_t *job;
  while (mailbox_receive(self->results, (void *)&job)) {
    self->waiting--;
    job->fn(&job->result, job->arg);
    job_free(job);
  }
}

gantry_err_t picture_new(loop_t *loop, picture_t **out) {
  picture_t *self = calloc(1, sizeof *self);
  *out = self;
  if (!self) return GANTRY_E_INTERNAL;
  self->loop = loop;
  gantry_err_t err = mailbox_new(sizeof(job_t *), PICTURE_JOBS_MAX + 1, &self->jobs);
  if (err == GANTRY_OK) err = mailbox_new(sizeof(job_t *), PICTURE_JOBS_MAX + 1, &self->results);
  if (err == GANTRY_OK) err = loop_watch(loop, mailbox_fd(self->results), on_result, self);
  if (err == GANTRY_OK) {
    self->running = pthread_create(&self->thread, NULL, run_worker, self) == 0;
    if (!self->running) err = GANTRY_E_INTERNAL;
  }
  if (err != GANTRY_OK) picture_destroy(out);
  return err;
}

static void drop_jobs(mailbox_t *mailbox) {
  job_t *job;
  while (mailbox && mailbox_receive(mailbox, (void *)&job))
    job_free(job);
}

void picture_destroy(picture_t **self) {
  picture_t *picture = *self;
  if (!picture) return;
  if (picture->running) {
    job_t *quit = NULL;
    drop_jobs(picture->jobs);
    mailbox_send(picture->jobs, (const void *)&quit);
    pthread_join(picture->thread, NULL);
  }
  if (picture->results) loop_unwatch(picture->loop, mailbox_fd(picture->results));
  drop_jobs(picture->results);
  mailbox_destroy(&picture->jobs);
  mailbox_destroy(&picture->results);
  free(picture);
  *self = NULL;
}

/* Takes a job over. */
static gantry_err_t hand_over(picture_t *self, job_t *job) {
  gantry_err_t err = GANTRY_E_INTERNAL;

  if (job && job->bytes) {
    bool room = self->waiting < PICTURE_JOBS_MAX;
    err = room && mailbox_send(self->jobs, (const void *)&job) ? GANTRY_OK : GANTRY_E_UNAVAILABLE;
  }
  if (err == GANTRY_OK)
    self->waiting++;
  else
    job_free(job);
  return err;
}

static job_t *job_of(job_kind_t kind, const map_info_t *info, shared_t *cells, picture_fn fn,
                     void *arg) {
  job_t *job = calloc(1, sizeof *job);

  if (!job) return NULL;
  job->kind = kind;
  job->info = *info;
  job->bytes = shared_hold(cells);
  job->fn = fn;
  job->arg = arg;
  return job;
}

gantry_err_t picture_write(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                           void *arg) {
  return hand_over(self, job_of(JOB_DRAW, info, cells, fn, arg));
}

gantry_err_t picture_rows(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                          void *arg) {
  return hand_over(self, job_of(JOB_ROWS, info, cells, fn, arg));
}

gantry_err_t picture_runs(picture_t *self, const map_info_t *info, shared_t *cells, picture_fn fn,
                          void *arg) {
  return hand_over(self, job_of(JOB_RUNS, info, cells, fn, arg));
}

gantry_err_t picture_tiles(picture_t *self, const map_info_t *info, shared_t *cells, tiles_t *tiles,
                           const tiles_told_t *told, picture_fn fn, void *arg) {
  job_t *job = job_of(JOB_TILES, info, cells, fn, arg);

  if (job) job->told = malloc(sizeof *told);
  if (!job || !job->told) {
    job_free(job);
    return GANTRY_E_INTERNAL;
  }
  memcpy(job->told, told, sizeof *told);
  job->tiles = tiles;
  return hand_over(self, job);
}

gantry_err_t picture_read(picture_t *self, shared_t *image, const map_yaml_t *yaml, picture_fn fn,
                          void *arg) {
  static const map_info_t NOTHING = {0};
  job_t *job = job_of(JOB_READ, &NOTHING, image, fn, arg);

  if (job) job->yaml = *yaml;
  return hand_over(self, job);
}
