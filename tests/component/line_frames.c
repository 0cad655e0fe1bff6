/* Reads the simulator's transcript, which it writes each 100 ms. */
#include "line_frames.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define WRITTEN_MS 250u

typedef struct line_frame {
  bool request;
  unsigned unit, function, first;
  double start_ms;
} line_frame_t;

typedef struct tally {
  unsigned unit, function, first, count;
} tally_t;

typedef void (*frame_fn)(const line_frame_t *frame, void *arg);

static bool parse(const char *text, line_frame_t *out) {
  const char *hex = strstr(text, "\"hex\":\"");
  if (!hex) return false;
  *out = (line_frame_t){.request = strstr(text, "\"dir\":\"request\"") != NULL,
                        .start_ms = sim_process_number(text, "start_ns") / 1e6};
  return sscanf(hex + 7, "%2x%2x%4x", &out->unit, &out->function, &out->first) == 3;
}

static long each(harness_t *harness, const sim_process_t *sim, long offset, frame_fn fn,
                 void *arg) {
  char text[1024];
  line_frame_t frame;
  harness_for(harness, WRITTEN_MS);
  FILE *file = fopen(sim->transcript, "r");
  cr_assert_not_null(file);
  (void)fseek(file, offset, SEEK_SET);
  long end = offset; /* of the last whole line: the one behind it may still be written */
  while (fgets(text, sizeof text, file) && strchr(text, '\n')) {
    if (fn && parse(text, &frame)) fn(&frame, arg);
    end = ftell(file);
  }
  (void)fclose(file);
  return end;
}

static void measure(const line_frame_t *frame, void *arg) {
  line_gap_t *gap = arg;
  if (frame->request && gap->strangers && frame->unit >= gap->strangers) gap->between++;
  if (!frame->request || frame->unit != gap->unit || frame->first != gap->first) return;
  if (gap->count > 0 && gap->between > gap->worst_between) gap->worst_between = gap->between;
  gap->between = 0;
  if (gap->last_ms > 0.0 && frame->start_ms - gap->last_ms > gap->worst_ms)
    gap->worst_ms = frame->start_ms - gap->last_ms;
  gap->last_ms = frame->start_ms;
  gap->count++;
}

static void count(const line_frame_t *frame, void *arg) {
  tally_t *tally = arg;
  tally->count += frame->request && (tally->unit == ANY || frame->unit == tally->unit) &&
                  (tally->function == ANY || frame->function == tally->function) &&
                  (tally->first == ANY || frame->first == tally->first);
}

long line_frames_now(harness_t *harness, const sim_process_t *sim) {
  return each(harness, sim, 0, NULL, NULL);
}

void line_frames_gap(harness_t *harness, const sim_process_t *sim, long offset, line_gap_t *gap) {
  (void)each(harness, sim, offset, measure, gap);
}

unsigned line_frames_count(harness_t *harness, const sim_process_t *sim, long offset, unsigned unit,
                           unsigned function, unsigned first) {
  tally_t tally = {.unit = unit, .function = function, .first = first};
  (void)each(harness, sim, offset, count, &tally);
  return tally.count;
}
