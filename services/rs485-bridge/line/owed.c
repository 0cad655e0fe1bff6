/* Late answers that may still come, and read lengths that differ from them. */
#include "owed.h"

static bool is_read(const job_t *job) {
  return job->function == LINE_READ_HOLDING || job->function == LINE_READ_INPUT;
}

static bool is_like(const rtu_mark_t *one, const rtu_mark_t *other) {
  return one->unit == other->unit && one->function == other->function &&
         one->first == other->first && one->count == other->count;
}

/* A dead motor is told again and again: that must not fill the table. */
static void add_write(owed_t *owed, rtu_mark_t mark, uint64_t now_ns) {
  owed_row_t *best = &owed->writes[0];
  for (size_t i = 0; i < OWED_WRITES_MAX; i++) {
    owed_row_t *row = &owed->writes[i];
    if (row->until_ns > now_ns && is_like(&row->mark, &mark)) {
      row->until_ns = now_ns + OWED_NS;
      return;
    }
    if (row->until_ns < best->until_ns) best = row;
  }
  *best = (owed_row_t){.mark = mark, .since_ns = now_ns, .until_ns = now_ns + OWED_NS};
}

void owed_add(owed_t *owed, const job_t *job, bool doubtful, uint64_t now_ns) {
  if (!is_read(job)) {
    if (!doubtful) add_write(owed, rtu_mark_of(job), now_ns);
    return;
  }
  owed_row_t *oldest = &owed->rows[0];
  for (size_t i = 1; i < OWED_MAX; i++)
    if (owed->rows[i].until_ns < oldest->until_ns) oldest = &owed->rows[i];
  if (oldest->until_ns > now_ns && oldest->until_ns > owed->full_ns)
    owed->full_ns = oldest->until_ns;
  *oldest =
      (owed_row_t){.mark = rtu_mark_of(job), .doubtful = doubtful, .until_ns = now_ns + OWED_NS};
}

/* The row that owes such an answer; NULL when none does. */
static const owed_row_t *find(const owed_row_t *rows, size_t count, const rtu_mark_t *mark,
                              uint64_t now_ns) {
  for (size_t i = 0; i < count; i++)
    if (rows[i].until_ns > now_ns && is_like(&rows[i].mark, mark)) return &rows[i];
  return NULL;
}

bool owed_settle(owed_t *owed, const rtu_mark_t *mark, uint64_t now_ns) {
  const owed_row_t *row = find(owed->rows, OWED_MAX, mark, now_ns);
  if (row) owed->rows[row - owed->rows] = (owed_row_t){0};
  return row || find(owed->writes, OWED_WRITES_MAX, mark, now_ns); /* it may be owed twice */
}

static bool has_of(const owed_row_t *rows, size_t count, const job_t *job, uint64_t now_ns) {
  for (size_t i = 0; i < count; i++)
    if (rows[i].mark.unit == job->unit && rows[i].mark.function == (uint8_t)job->function &&
        rows[i].until_ns > now_ns && !rows[i].doubtful)
      return true;
  return false;
}

bool owed_has(const owed_t *owed, const job_t *job, uint64_t now_ns) {
  if (!is_read(job)) return has_of(owed->writes, OWED_WRITES_MAX, job, now_ns);
  return has_of(owed->rows, OWED_MAX, job, now_ns) || owed->full_ns > now_ns;
}

bool owed_echoes(const owed_t *owed, const job_t *job, uint64_t began_ns, uint64_t now_ns) {
  const rtu_mark_t mark = rtu_mark_of(job);
  const owed_row_t *row = find(owed->writes, OWED_WRITES_MAX, &mark, now_ns);
  return row && row->since_ns < began_ns;
}

static bool is_owed(const owed_t *owed, const job_t *job, int count, uint64_t now_ns) {
  rtu_mark_t mark = rtu_mark_of(job);
  mark.count = (uint16_t)count;
  return find(owed->rows, OWED_MAX, &mark, now_ns) != NULL;
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
      if (is_owed(owed, job, counts[i], now_ns)) continue;
      job->count = (uint16_t)counts[i];
      return true;
    }
  }
  return false;
}
