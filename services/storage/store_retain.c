/* Deletion by age. A pass goes through the rules in turn, each from its oldest row to its cutoff,
   in bites that are bounded by the rows they look at: what a pinned session keeps is passed over
   once a pass and never in one go. */
#include <gantry/clock.h>
#include <stddef.h>
#include <string.h>

#include "audit.h"
#include "days.h"
#include "store_internal.h"
#include "store_lifecycle.h"

#define BITE_US    2000u
#define AUDIT_BITE 200
#define DAYS_AHEAD 2

/* What the last parameter of a rule's statement is. */
typedef enum rule_last {
  LAST_NONE,
  LAST_KEEP_SESSIONS, /* 1: rows of sessions stay, pinned or not */
  LAST_CUTOFF,        /* the rule's cutoff: its range is not one of time */
} rule_last_t;

/* find: where the bite that begins at ?1 and looks at so many rows ends, if before ?2; sweep:
   deletes between ?1 and ?2. A rule for each series takes it as ?3. The last parameter follows.
   A rule with a step of its own repeats it until there is nothing left to do. */
typedef struct rule {
  const char *table;
  gantry_err_t (*step)(store_t *store, const retain_t *retain, uint64_t *deleted);
  const char *find;
  const char *sweep;
  size_t days; /* offset in retention_t */
  rule_last_t last;
  int64_t bucket_us; /* a bucket goes when its end is old enough */
  bool each_series;
  bool readings; /* the age follows the kind of the series; its count is kept right */
  bool stream;   /* may go early when the disk is full */
} rule_t;

/* The chain is cut at its old end, in the order of its entries. The newest entry always stays, and
   the first that stays still names its predecessor's hash. */
static gantry_err_t retain_audit(store_t *store, const retain_t *retain, uint64_t *deleted) {
  if (retain->policy->audit_days <= 0) return GANTRY_OK;
  stmt_t *statement =
      db_use(store->db, "DELETE FROM audit_log WHERE id < coalesce((SELECT min(id) FROM (SELECT id,"
                        " ts FROM audit_log ORDER BY id LIMIT ?2) AS oldest WHERE ts >= ?1),"
                        " (SELECT max(id) FROM (SELECT id FROM audit_log ORDER BY id LIMIT ?2)"
                        " AS oldest))");
  db_bind_int(statement, 1, retention_cutoff_us(retain->policy->audit_days, retain->now_us));
  db_bind_int(statement, 2, AUDIT_BITE);
  GANTRY_TRY(db_finish(statement));
  *deleted += db_changes(store->db);
  return db_changes(store->db) ? audit_note_cut(store->db, (uint64_t)retain->now_us) : GANTRY_OK;
}

#define DAYS(field)     offsetof(retention_t, field)
#define FIND(by, from)  "SELECT " by " FROM " from " AND " by " >= ?1 AND " by " < ?2 ORDER BY " by
#define BETWEEN(by)     " AND " by " >= ?1 AND " by " < ?2"
#define PINNED(what)    "(SELECT " what " FROM session WHERE pinned = 1)"
#define ROLLUP(seconds) "rollup WHERE series = ?3 AND tier = " seconds
#define ROLLUP_RULE(seconds, field)                                                                \
  {                                                                                                \
    .table = "rollup", .find = FIND("start", ROLLUP(#seconds)) " LIMIT 1 OFFSET ?4",               \
    .sweep = "DELETE FROM " ROLLUP(#seconds) BETWEEN("start"), .days = DAYS(field),                \
    .bucket_us = (seconds)*1000000ll, .each_series = true                                          \
  }
#define POSE_RULE(kept, field)                                                                     \
  {                                                                                                \
    .table = "pose", .find = FIND("ts", "pose WHERE keep = " #kept) " LIMIT 1 OFFSET ?3",          \
    .sweep = "DELETE FROM pose WHERE keep = " #kept BETWEEN(                                       \
        "ts") " AND (session_id = '' OR (?3 = 0 AND session_id NOT IN " PINNED("session_id") "))", \
    .days = DAYS(field), .last = LAST_KEEP_SESSIONS, .stream = true                                \
  }
#define TIME_RULE(name, by, and, field)                                                            \
  {                                                                                                \
    .table = (name), .find = FIND(by, name " WHERE 0 = 0") " LIMIT 1 OFFSET ?3",                   \
    .sweep = "DELETE FROM " name " WHERE 0 = 0" BETWEEN(by) and "", .days = DAYS(field)            \
  }

static const rule_t RULES[] = {
    {.table = "reading",
     .find = FIND("ts", "reading WHERE series = ?3") " LIMIT 1 OFFSET ?4",
     .sweep = "DELETE FROM reading WHERE series = ?3" BETWEEN(
         "ts") " AND (session IS NULL OR (?4 = 0 AND session NOT IN " PINNED("id") "))",
     .last = LAST_KEEP_SESSIONS,
     .each_series = true,
     .readings = true,
     .stream = true},
    {.table = "reading_chunk",
     .find = FIND("start", "reading_chunk WHERE series = ?3") " LIMIT 1 OFFSET ?4",
     .sweep = "DELETE FROM reading_chunk WHERE series = ?3" BETWEEN(
         "start") " AND (session = 0 OR (?4 = 0 AND session NOT IN " PINNED("id") "))"
                                                                                  " RETURNING "
                                                                                  "rows",
     .last = LAST_KEEP_SESSIONS,
     .each_series = true,
     .readings = true,
     .stream = true},
    ROLLUP_RULE(60, minutes_days),
    ROLLUP_RULE(3600, hours_days),
    ROLLUP_RULE(86400, days_days),
    POSE_RULE(0, poses_days),
    POSE_RULE(1, poses_thin_days),
    TIME_RULE("events", "ts", "", events_days),
    TIME_RULE("alerts", "raised", " AND cleared IS NOT NULL", events_days),
    TIME_RULE("safety_log", "ts", "", safety_days),
    TIME_RULE("commands", "ts", "", commands_days),
    /* By number: any time is larger than any number of a session. */
    {.table = "session",
     .find = FIND("id", "session WHERE 0 = 0") " LIMIT 1 OFFSET ?3",
     .sweep = "DELETE FROM session WHERE pinned = 0" BETWEEN(
         "id") " AND created < ?3 AND state <> 'recording'"
               " AND NOT EXISTS (SELECT 1 FROM reading WHERE reading.session = session.id)"
               " AND NOT EXISTS (SELECT 1 FROM reading_chunk AS chunk WHERE chunk.session ="
               " session.id) AND NOT EXISTS (SELECT 1 FROM pose WHERE pose.session_id <> ''"
               " AND pose.session_id = session.session_id)",
     .days = DAYS(readings_days),
     .last = LAST_CUTOFF},
    {.table = "session_series",
     .find = FIND("session", "session_series WHERE 0 = 0") " LIMIT 1 OFFSET ?3",
     .sweep = "DELETE FROM session_series WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.id"
              " = session_series.session)" BETWEEN("session"),
     .days = DAYS(readings_days)},
    {.table = "ingest_mark",
     .sweep = "DELETE FROM ingest_mark WHERE updated >= ?1 AND updated < ?2 AND updated <"
              " (SELECT max(newer.updated) FROM ingest_mark AS newer"
              " WHERE newer.producer = ingest_mark.producer)",
     .days = DAYS(marks_days)},
    {.table = "audit_log", .step = retain_audit},
};
#define RULE_COUNT (sizeof RULES / sizeof *RULES)

const char *store_sweeping(const sweep_t *sweep) {
  return sweep->rule < RULE_COUNT ? RULES[sweep->rule].table : "";
}

static gantry_err_t is_scan(store_t *store, int64_t series, bool *scan) {
  char type[16];
  stmt_t *statement = db_use(store->db, "SELECT type FROM series WHERE id = ?1");
  db_bind_int(statement, 1, series);
  GANTRY_TRY(db_next(statement));
  db_get_text(statement, 0, type, sizeof type);
  db_reset(statement);
  *scan = strcmp(type, "lidar") == 0;
  return GANTRY_OK;
}

/* Where the rule ends in this pass; 0: it has nothing to do. */
static gantry_err_t cutoff_of(store_t *store, const retain_t *retain, const rule_t *rule,
                              const series_t *series, int64_t *cutoff_us) {
  bool scan = false;
  double days;
  *cutoff_us = rule->stream ? retain->purge_us : 0;
  if (retain->purge_us) return GANTRY_OK;
  memcpy(&days, (const char *)retain->policy + rule->days, sizeof days);
  if (rule->readings && series) {
    GANTRY_TRY(is_scan(store, series->id, &scan));
    days = scan ? retain->policy->scans_days : retain->policy->readings_days;
  }
  *cutoff_us = retention_cutoff_us(days, retain->now_us);
  if (rule->bucket_us && *cutoff_us > rule->bucket_us) *cutoff_us -= rule->bucket_us - 1;
  return GANTRY_OK;
}

static int bind_range(stmt_t *statement, const sweep_t *sweep, const series_t *series,
                      int64_t until) {
  db_bind_int(statement, 1, sweep->from);
  db_bind_int(statement, 2, until);
  if (!series) return 3;
  db_bind_int(statement, 3, series->id);
  return 4;
}

/* The end of the bite; *ends when it is the rule's last. */
static gantry_err_t find_end(store_t *store, const sweep_t *sweep, const rule_t *rule,
                             const series_t *series, int64_t *until, bool *ends) {
  *ends = true;
  if (!rule->find) return GANTRY_OK;
  stmt_t *statement = db_use(store->db, rule->find);
  int next = bind_range(statement, sweep, series, *until);
  db_bind_int(statement, next, sweep->bite_rows);
  gantry_err_t err = db_next(statement);
  if (err == GANTRY_E_NOT_FOUND) return GANTRY_OK;
  if (err != GANTRY_OK) return err;
  int64_t found = db_get_int(statement, 0);
  db_reset(statement);
  /* Of one instant all go at once. */
  *until = found > sweep->from ? found : sweep->from + 1;
  *ends = false;
  return GANTRY_OK;
}

static gantry_err_t delete_range(store_t *store, const retain_t *retain, const sweep_t *sweep,
                                 series_t *series, int64_t until, int64_t cutoff_us,
                                 uint64_t *deleted) {
  const rule_t *rule = &RULES[sweep->rule];
  uint64_t rows = 0;
  gantry_err_t err;
  stmt_t *statement = db_use(store->db, rule->sweep);
  int next = bind_range(statement, sweep, series, until);
  if (rule->last == LAST_KEEP_SESSIONS) db_bind_int(statement, next, retain->purge_us != 0);
  if (rule->last == LAST_CUTOFF) db_bind_int(statement, next, cutoff_us);
  while ((err = db_next(statement)) == GANTRY_OK)
    rows += db_get_u64(statement, 0);
  if (err != GANTRY_E_NOT_FOUND) return err;
  if (rows == 0) rows = db_changes(store->db);
  if (rule->readings && series) series->added -= (int64_t)rows;
  *deleted += rows;
  return GANTRY_OK;
}

static void next_rule(const store_t *store, sweep_t *sweep) {
  sweep->from = 0;
  if (RULES[sweep->rule].each_series && ++sweep->series < store->series_count) return;
  sweep->series = 0;
  sweep->rule++;
  sweep->bite_rows = BITE_ROWS_FIRST;
}

static gantry_err_t step_rule(store_t *store, const retain_t *retain, sweep_t *sweep,
                              uint64_t *deleted) {
  uint64_t before = *deleted;
  if (!retain->purge_us) GANTRY_TRY(RULES[sweep->rule].step(store, retain, deleted));
  if (*deleted == before) next_rule(store, sweep);
  return GANTRY_OK;
}

static gantry_err_t bite(store_t *store, const retain_t *retain, sweep_t *sweep,
                         uint64_t *deleted) {
  const rule_t *rule = &RULES[sweep->rule];
  if (rule->step) return step_rule(store, retain, sweep, deleted);
  series_t *series = rule->each_series ? &store->series[sweep->series] : NULL;
  int64_t cutoff_us = 0;
  bool ends = true;
  uint64_t begun_ns = clock_mono_ns();
  if (!rule->each_series || sweep->series < store->series_count)
    GANTRY_TRY(cutoff_of(store, retain, rule, series, &cutoff_us));
  if (cutoff_us > sweep->from) {
    int64_t until = cutoff_us;
    GANTRY_TRY(find_end(store, sweep, rule, series, &until, &ends));
    GANTRY_TRY(delete_range(store, retain, sweep, series, until, cutoff_us, deleted));
    sweep->from = until;
  }
  if (ends) {
    next_rule(store, sweep);
  } else {
    uint64_t took_us = (clock_mono_ns() - begun_ns) / 1000;
    sweep->bite_rows = bite_next(sweep->bite_rows, took_us, BITE_US);
  }
  return GANTRY_OK;
}

static gantry_err_t bites(store_t *store, const retain_t *retain, sweep_t *sweep,
                          uint64_t *deleted) {
  uint64_t end_ns = clock_mono_ns() + (uint64_t)retain->budget_us * 1000;
  do
    GANTRY_TRY(bite(store, retain, sweep, deleted));
  while (sweep->rule < RULE_COUNT && clock_mono_ns() < end_ns);
  return GANTRY_OK;
}

/* Days of readings go as a whole, one a step: when their rows are past their age, or when none is
   left in them, as after packing; the day that is running and the one before it stay. A purge
   leaves rows of sessions where they are. */
static gantry_err_t drop_day(store_t *store, const retain_t *retain, sweep_t *sweep, bool *more) {
  int64_t starts_us[DAYS_MAX], last_us = (int64_t)retain->now_us - DAYS_DAY_US;
  uint64_t end_ns = clock_mono_ns() + (uint64_t)retain->budget_us * 1000;
  size_t count;
  double days = retain->policy->readings_days;
  if (retain->policy->scans_days > days) days = retain->policy->scans_days;
  int64_t cutoff_us = retention_cutoff_us(days, retain->now_us);
  *more = false;
  GANTRY_TRY(days_list(store->db, starts_us, DAYS_MAX, &count));
  for (size_t i = 0; i < count && starts_us[i] + DAYS_DAY_US <= last_us && !*more; i++) {
    if (starts_us[i] < sweep->from) continue;
    bool is_old = retain->purge_us == 0 && starts_us[i] + DAYS_DAY_US <= cutoff_us;
    GANTRY_TRY(days_drop(store->db, starts_us[i], is_old, more));
    sweep->from = starts_us[i] + DAYS_DAY_US;
    *more = *more || clock_mono_ns() > end_ns;
  }
  return GANTRY_OK;
}

/* Then those to come are made, one a step. */
static gantry_err_t step_days(store_t *store, const retain_t *retain, sweep_t *sweep, bool *more) {
  GANTRY_TRY(drop_day(store, retain, sweep, more));
  return *more ? GANTRY_OK : days_ensure(store->db, (int64_t)retain->now_us, DAYS_AHEAD, more);
}

static gantry_err_t delete_step(store_t *store, const retain_t *retain, sweep_t *sweep,
                                uint64_t *deleted) {
  sweep_t before = *sweep;
  if (sweep->bite_rows == 0) sweep->bite_rows = BITE_ROWS_FIRST;
  GANTRY_TRY(db_begin_unsynced(store->db));
  gantry_err_t err = bites(store, retain, sweep, deleted);
  if (err == GANTRY_OK) err = store_commit(store);
  /* A session that was deleted must not be found by name any more. */
  store->session_count = 0;
  if (err == GANTRY_OK) return err;
  store_rollback(store);
  *sweep = before;
  *deleted = 0;
  return err;
}

gantry_err_t store_retain(store_t *store, const retain_t *retain, sweep_t *sweep, uint64_t *deleted,
                          bool *done) {
  bool more;
  *deleted = 0;
  *done = false;
  if (sweep->rule < RULE_COUNT) return delete_step(store, retain, sweep, deleted);
  GANTRY_TRY(step_days(store, retain, sweep, &more));
  *done = !more;
  if (*done) *sweep = (sweep_t){0};
  return GANTRY_OK;
}
