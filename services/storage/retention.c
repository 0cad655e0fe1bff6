/* The rhythm of deletion: small steps, a rest of a day. */
#include "retention.h"

#define MS_PER_MINUTE 60000u
#define MS_PER_DAY    86400000u
#define US_PER_DAY    86400e6
#define STEP_MS       100u

retention_t retention_default(void) {
  return (retention_t){.readings_days = 30,
                       .scans_days = 1,
                       .poses_days = 7,
                       .poses_thin_days = 30,
                       .events_days = 90,
                       .safety_days = 365,
                       .commands_days = 30};
}

uint64_t retention_cutoff_us(double days, uint64_t now_us) {
  double age_us = days * US_PER_DAY;
  return age_us >= (double)now_us ? 0 : now_us - (uint64_t)age_us;
}

retention_clock_t retention_clock_init(uint64_t now_ms) {
  return (retention_clock_t){
      .next_ms = now_ms + MS_PER_MINUTE, .step_ms = STEP_MS, .rest_ms = MS_PER_DAY};
}

bool retention_clock_due(const retention_clock_t *clock, uint64_t now_ms) {
  return now_ms >= clock->next_ms;
}

void retention_clock_note(retention_clock_t *clock, uint64_t now_ms, uint32_t deleted) {
  clock->next_ms = now_ms + (deleted ? clock->step_ms : clock->rest_ms);
}
