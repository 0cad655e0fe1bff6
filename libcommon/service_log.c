/* A service's log on the bus: its lines cross from whatever thread wrote them to the loop, are
   limited in number there, and are published. */
#include "service_internal.h"

#include "utf8.h"

#include <gantry/clock.h>

#include <stdio.h>

/* A flood costs neither the bus nor those who read it more than this. Half of the burst is kept for
   warnings and errors. */
static const double LINES_PER_S = 20, LINES_BURST = 100;
enum { LINES_WAITING = 128 };

/* Publishing may log; that line is not published, or it would never end. */
static _Thread_local bool publishing;

static void on_line(log_level_t level, const char *id, const char *text, uint64_t trace,
                    void *arg) {
  log_feed_t *feed = arg;
  sys_log_line_t line = {.time = clock_wall_ns(),
                         .level = (sys_log_level_t)level,
                         .has_trace = trace != 0,
                         .trace = trace};

  if (publishing) return;
  snprintf(line.id, sizeof line.id, "%s", id);
  snprintf(line.message, sizeof line.message, "%s", text);
  utf8_mend(line.message);
  (void)mailbox_send(feed->lines, &line); /* it counts what it has no room for */
}

static bool is_allowed(log_feed_t *feed, sys_log_level_t level) {
  uint64_t now_ns = clock_mono_ns();

  feed->tokens += (double)(now_ns - feed->filled_ns) / 1e9 * LINES_PER_S;
  if (feed->tokens > LINES_BURST) feed->tokens = LINES_BURST;
  feed->filled_ns = now_ns;
  if (feed->tokens < (level < SYS_LOG_LEVEL_WARN ? LINES_BURST / 2 : 1)) return false;
  feed->tokens -= 1;
  return true;
}

static void on_waiting(void *arg) {
  service_run_t *run = arg;
  log_feed_t *feed = &run->log_feed;
  sys_log_line_t line;

  while (mailbox_receive(feed->lines, &line)) {
    if (!is_allowed(feed, line.level)) {
      feed->lost++;
      continue;
    }
    uint64_t dropped = mailbox_dropped(feed->lines);
    line.lost = feed->lost + (uint32_t)(dropped - feed->dropped);
    feed->lost = 0;
    feed->dropped = dropped;
    publishing = true;
    (void)bus_publish(run->service.bus, TOPIC_LOG, NULL, &line);
    publishing = false;
    if (run->service.on_log) run->service.on_log(run->self, &line);
  }
}

gantry_err_t service_log_start(service_run_t *run) {
  log_feed_t *feed = &run->log_feed;

  feed->tokens = LINES_BURST;
  feed->filled_ns = clock_mono_ns();
  GANTRY_TRY(mailbox_new(sizeof(sys_log_line_t), LINES_WAITING, &feed->lines));
  GANTRY_TRY(loop_watch(run->service.loop, mailbox_fd(feed->lines), on_waiting, run));
  log_tap(on_line, feed);
  return GANTRY_OK;
}

void service_log_stop(service_run_t *run) {
  log_feed_t *feed = &run->log_feed;

  if (!feed->lines) return;
  log_untap(feed);
  on_waiting(run);
  loop_unwatch(run->service.loop, mailbox_fd(feed->lines));
  mailbox_destroy(&feed->lines);
}
