/* The daily backup: begun at its hour, or as soon as the machine runs again; old ones are removed.
   What was made is read from the names of the files, so that a restart makes no second one. */
#ifndef STORAGE_BACKUP_DAILY_H
#define STORAGE_BACKUP_DAILY_H

#include <gantry/service.h>

#include "backup_job.h"

typedef struct backup_daily {
  service_t *service;
  backup_job_t *job; /* borrowed */
  int hour;          /* of the day, UTC; negative: no daily backup */
  double keep_days;
  char folder[1024];
  const char *key_file;
  const char *suffix; /* of this back end's files */
  uint64_t last_s;    /* wall time of the newest file, 0 none */
  uint64_t retry_s;   /* not before that, after a failure */
  char last_file[256];
  char fault[192]; /* why the last one failed, or "" */
  bool running;
} backup_daily_t;

/* Whether a backup is due at now_s (since 1970 UTC) when the last is from last_s. Pure. */
bool backup_is_due(uint64_t now_s, int hour, uint64_t last_s);
/* When the next one is due. Pure. */
uint64_t backup_next_s(uint64_t now_s, int hour, uint64_t last_s);
/* The time in the name of a backup, gantry-20260102T030405Z.SUFFIX; 0 for another name. Pure. */
uint64_t backup_stamp_s(const char *name, const char *suffix);

/* Reads the settings and looks what is there. job is borrowed. */
void backup_daily_init(backup_daily_t *daily, service_t *service, backup_job_t *job,
                       db_kind_t kind);
/* Each second, on the loop. */
void backup_daily_tick(backup_daily_t *daily, uint64_t now_ns);
/* Fills in what it knows of the state. */
void backup_daily_tell(const backup_daily_t *daily, uint64_t now_ns, store_state_t *out);

#endif
