/* The days of the table `reading`. On PostgreSQL each is a partition: made ahead, so that no row
   waits for it, and dropped in milliseconds when its age has come. Times that no day was made for
   lie in a partition of their own. SQLite, and servers without partitions, have none: there every
   call is harmless and gives nothing. */
#ifndef STORAGE_DAYS_H
#define STORAGE_DAYS_H

#include "db.h"

#define DAYS_MAX    512 /* days a database has at most */
#define DAYS_DAY_US INT64_C(86400000000)

/* Makes the first partition that is missing from the day of now_us to `ahead` days later, in a
   transaction of its own of some milliseconds; *made when there was one: more may be missing. Costs
   nothing where they are there. */
gantry_err_t days_ensure(db_t *db, int64_t now_us, int ahead, bool *made);
/* The first microseconds of the days that are there, ascending; size is at least DAYS_MAX. */
gantry_err_t days_list(db_t *db, int64_t *starts_us, size_t size, size_t *count);
/* Drops one day in a transaction of its own. With its rows: they are taken off the totals of their
   series; not dropped when rows of a pinned session are among them, or so many that it would take
   long: those are to be deleted first. Without: only when none is left. */
gantry_err_t days_drop(db_t *db, int64_t start_us, bool with_rows, bool *dropped);

#endif
