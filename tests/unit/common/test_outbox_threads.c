/* The outbox between its two threads, in plain TAP, for the thread sanitizer (see test_threads.c).
 */
#include <gantry/clock.h>
#include <gantry/outbox.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORDS = 3000, WAIT_S = 60 };

static outbox_t *outbox;
static uint64_t acknowledged, delivered, holes;
static uint32_t generation, parcel_count;

static void on_done(gantry_err_t err, void *arg) {
  (void)arg;
  if (err == GANTRY_OK) acknowledged++;
}

/* Every seventh parcel fails, as if storage had gone; then all is asked for again. */
static void on_parcel(const outbox_parcel_t *parcel, void *arg) {
  (void)arg;
  if (parcel->generation != generation) return;
  if (++parcel_count % 7 == 0) {
    outbox_rewind(outbox, ++generation);
    return;
  }
  if (parcel->first > delivered + 1) holes++;
  if (parcel->last > delivered) delivered = parcel->last;
  outbox_delivered(outbox, parcel);
}

static bool open_outbox(const char *folder, loop_t *loop) {
  const outbox_settings_t settings = {
      .folder = folder, .service = "mapper", .boot = 1, .limit_bytes = 64u << 20};
  if (outbox_open(&settings, loop, &outbox) != GANTRY_OK) return false;
  outbox_deliver(outbox, on_parcel, NULL);
  return true;
}

static void add(uint32_t number) {
  static const char BODY[2000];
  const outbox_record_t record = {.topic = "event.mapper",
                                  .header = "head",
                                  .header_len = 4,
                                  .body = BODY,
                                  .body_len = sizeof BODY,
                                  .kept = number % 3 == 0};
  (void)outbox_add(outbox, &record, on_done, NULL);
}

int main(void) {
  char folder[] = "/tmp/gantry_outbox_XXXXXX", path[96];
  loop_t *loop = NULL;
  if (!mkdtemp(folder) || loop_new(&loop) != GANTRY_OK || !open_outbox(folder, loop)) return 1;
  uint64_t deadline_ns = clock_mono_ns() + WAIT_S * GANTRY_NS_PER_S;
  for (uint32_t i = 0; i < RECORDS; i++) {
    add(i);
    if (i % 10 == 0) loop_step(loop, 1);
    (void)outbox_get_stats(outbox);
  }
  while ((acknowledged < RECORDS || delivered < RECORDS) && clock_mono_ns() < deadline_ns)
    loop_step(loop, 10);
  outbox_close(&outbox);
  loop_destroy(&loop);
  printf("1..3\n");
  printf("%sok 1 - every record is acknowledged\n", acknowledged == RECORDS ? "" : "not ");
  printf("%sok 2 - every record is handed out\n", delivered == RECORDS ? "" : "not ");
  printf("%sok 3 - in order, whatever fails between\n", holes == 0 ? "" : "not ");
  snprintf(path, sizeof path, "%s/mapper.outbox", folder);
  unlink(path);
  rmdir(folder);
  return acknowledged == RECORDS && delivered == RECORDS && holes == 0 ? 0 : 1;
}
