/* One worker thread, two mailboxes of pointers: a job travels there and its own result back. */
#include "picture.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/clock.h>
#include <gantry/mailbox.h>
#include <gantry/slam/map_codec.h>
#include <gantry/slam/map_image.h>

#define CELLS_BYTES (16u << 20) /* of map.grid */

typedef struct job {
  bool reads;      /* an image becomes cells; else cells become an image */
  uint8_t *bytes;  /* owned: the image, or the coded cells */
  size_t len;      /* */
  map_yaml_t yaml; /* of an image */
  map_info_t info; /* of cells */
  picture_fn fn;   /* */
  void *arg;       /* */
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
  free(job->bytes);
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
  gantry_err_t err =
      cells ? map_codec_decode(job->bytes, job->len, cells, count) : GANTRY_E_TOO_LARGE;
  if (err == GANTRY_OK) err = draw(job, &image);
  free(cells);
  if (err != GANTRY_OK) fault_set(fault, err, "", "The map cannot be drawn.");
}

static void read_image(job_t *job) {
  picture_result_t *result = &job->result;
  map_cells_t map = {0};
  if (map_image_decode(job->bytes, job->len, &job->yaml, &map, &result->fault) != GANTRY_OK) return;
  result->box = map.box;
  result->resolution_m = map.resolution_m;
  result->bytes.limit = CELLS_BYTES;
  size_t count = (size_t)map.box.width * map.box.height;
  if (map_codec_encode(map.cells, count, &result->bytes) != GANTRY_OK)
    fault_set(&result->fault, GANTRY_E_TOO_LARGE, "image",
              "The map is too ragged: its cells take more than 16 MiB.");
  map_cells_fini(&map);
}

static void *run_worker(void *arg) {
  picture_t *self = arg;
  job_t *job;
  for (;;) {
    if (!mailbox_wait(self->jobs, (void *)&job, clock_mono_ns() + 3600ull * GANTRY_NS_PER_S))
      continue;
    if (!job) return NULL;
    if (job->reads)
      read_image(job);
    else
      write_image(job);
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

/* Takes a job with its bytes copied in. */
static gantry_err_t hand_over(picture_t *self, job_t *job, const uint8_t *bytes, size_t len) {
  if (job) job->bytes = malloc(len + 1);
  if (!job || !job->bytes) {
    job_free(job);
    return GANTRY_E_INTERNAL;
  }
  if (len) memcpy(job->bytes, bytes, len);
  job->len = len;
  if (self->waiting >= PICTURE_JOBS_MAX || !mailbox_send(self->jobs, (const void *)&job)) {
    job_free(job);
    return GANTRY_E_UNAVAILABLE;
  }
  self->waiting++;
  return GANTRY_OK;
}

gantry_err_t picture_write(picture_t *self, const map_grid_t *map, picture_fn fn, void *arg) {
  job_t *job = calloc(1, sizeof *job);
  if (job) {
    job->info = map->info;
    job->fn = fn;
    job->arg = arg;
  }
  return hand_over(self, job, map->cells.data, map->cells.len);
}

gantry_err_t picture_read(picture_t *self, const uint8_t *bytes, size_t len, const map_yaml_t *yaml,
                          picture_fn fn, void *arg) {
  job_t *job = calloc(1, sizeof *job);
  if (job) {
    job->reads = true;
    job->yaml = *yaml;
    job->fn = fn;
    job->arg = arg;
  }
  return hand_over(self, job, bytes, len);
}
