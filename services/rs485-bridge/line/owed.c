/* Late answers that may still come, and read lengths that differ from them. */
#include "owed.h"

static bool is_read(const job_t *job) {
  return job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
}

void owed_add(owed_t *owed, const job_t *job, bool doubtful, uint64_t now_ns) {
  if (!is_read(job)) return;
  owed_row_t *oldest = &owed->rows[0];
  for (size_t i = 1; i < OWED_MAX; i++)
    if (owed->rows[i].until_ns < oldest->until_ns) oldest = &owed->rows[i];
  if (oldest->until_ns > now_ns && oldest->until_ns > owed->full_ns)
    owed->full_ns = oldest->until_ns;
  *oldest = (owed_row_t){
      .unit = job->unit, .count = job->count, .doubtful = doubtful, .until_ns = now_ns + OWED_NS};
}

bool owed_settle(owed_t *owed, uint8_t unit, uint16_t count) {
  for (size_t i = 0; i < OWED_MAX; i++) {
    owed_row_t *row = &owed->rows[i];
    if (row->until_ns == 0 || row->unit != unit || row->count != count) continue;
    *row = (owed_row_t){0};
    return true;
  }
  return false;
}

bool owed_has(const owed_t *owed, uint8_t unit, uint64_t now_ns) {
  for (size_t i = 0; i < OWED_MAX; i++)
    if (owed->rows[i].unit == unit && owed->rows[i].until_ns > now_ns && !owed->rows[i].doubtful)
      return true;
  return owed->full_ns > now_ns;
}

static bool is_owed(const owed_t *owed, uint8_t unit, uint16_t count, uint64_t now_ns) {
  for (size_t i = 0; i < OWED_MAX; i++) {
    const owed_row_t *row = &owed->rows[i];
    if (row->unit == unit && row->count == count && row->until_ns > now_ns) return true;
  }
  return false;
}

bool owed_shape(const owed_t *owed, job_t *job, uint64_t now_ns) {
  if (!is_read(job)) return true;
  if (owed->full_ns > now_ns) return false;
  int least = job->least && job->least < job->count ? job->least : job->count;
  int most = job->most > job->count ? job->most : job->count;
  for (int step = 0; job->count - step >= least || job->count + step <= most; step++) {
    const int counts[2] = {job->count + step, job->count - step};
    for (int i = 0; i < 2; i++) {
      if (counts[i] < least || counts[i] > most) continue;
      if (is_owed(owed, job->unit, (uint16_t)counts[i], now_ns)) continue;
      job->count = (uint16_t)counts[i];
      return true;
    }
  }
  return false;
}
