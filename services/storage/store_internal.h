/* Inside of the store: what its files offer one another. */
#ifndef STORAGE_STORE_INTERNAL_H
#define STORAGE_STORE_INTERNAL_H

#include "db_reading.h"
#include "rollup.h"
#include "store.h"

#define SERIES_MAX           1024  /* sensors of one database */
#define STORE_SERIES_SLOTS   2048  /* of the hash over their names */
#define STORE_SESSIONS_KEPT  64    /* known by name; a batch has at most as many */
#define STORE_BATCH_MAX      1000  /* readings of a batch */
#define STORE_GATHER_MAX     16000 /* readings that go into the database at once */
#define STORE_ROLLUP_MINUTES 1024  /* buckets kept open before they are written early */

/* Tables whose rows are numbered. */
typedef enum store_id {
  STORE_ID_USER,
  STORE_ID_AUDIT,
  STORE_ID_EVENT,
  STORE_ID_SAFETY,
  STORE_ID_MAP,
  STORE_ID_MAP_SESSION,
  STORE_ID_POSE,
  STORE_ID_TAG,
  STORE_ID_LOC_CONFIG,
  STORE_ID_SENSOR_CONFIG,
  STORE_ID_CALIBRATION,
  STORE_ID_SERIES,
  STORE_ID_SESSION,
  STORE_ID_SENSOR_STATE,
  STORE_ID_COMMAND,
  STORE_ID_COUNT
} store_id_t;

typedef struct series {
  char robot[51];
  char sensor[51];
  int64_t id;
  int64_t added; /* rows of the open transaction, not yet counted in the table */
  bool is_scan;
  int64_t packed_until_us; /* no chunk holds what is newer */
} series_t;

/* What names a series beside its robot. */
typedef struct series_name {
  const char *sensor, *type, *unit;
} series_name_t;

typedef struct session {
  char name[51];
  int64_t id;
} session_t;

/* Where packing has got to (store_compact.h). */
typedef struct packing {
  int64_t scans_us, others_us; /* ages */
  uint32_t series;
  int64_t from_us; /* rows before that are done with, in this pass */
  bool goes_on;    /* a part of that minute and session has been packed just now */
  int64_t minute_us, session;
} packing_t;

typedef struct late late_t;
typedef struct session_figures session_figures_t;

/* A finding on its way: goes into the database when its row did. */
typedef struct found {
  struct found *next;
  size_t row; /* of what is gathered */
  const char *robot, *service, *sensor, *session;
  uint64_t trace;
  sensor_finding_t finding;
} found_t;

/* Readings on their way into the database. PostgreSQL takes ten thousand in one COPY at twice the
   rate of a thousand. */
typedef struct gather {
  db_reading_t rows[STORE_GATHER_MAX];
  series_t *series[STORE_GATHER_MAX]; /* of each row */
  bool fresh[STORE_GATHER_MAX];
  size_t count;
  uint64_t added;              /* of those before, by the last ones that went */
  arena_t texts;               /* of the rows, and what was found in them */
  found_t *found, **found_end; /* in the order of the rows; found_end NULL: none */
} gather_t;

struct store {
  db_t *db;         /* owned */
  series_t *series; /* owned, SERIES_MAX */
  uint32_t series_count;
  uint32_t series_committed;                 /* of them, those that no rollback takes away */
  uint16_t series_slots[STORE_SERIES_SLOTS]; /* index of a series + 1; 0 free */
  session_t sessions[STORE_SESSIONS_KEPT];   /* the last ones, in a ring */
  uint32_t session_count;                    /* put into it so far */
  rollup_set_t *rollups;                     /* owned; of the open transaction */
  gather_t *gather;                          /* owned; NULL until there was a batch */
  session_figures_t *figures;                /* owned; NULL until a session records */
  bool pin_sessions;                         /* new ones that record */
  bool erasing;                              /* a deleted session is there, or may be */
  packing_t packing;
  struct piece_work *piece_work;   /* owned; NULL until something is packed */
  late_t *late;                    /* owned; NULL until something comes late */
  struct exports *exports;         /* owned; NULL until one is asked for */
  uint64_t pose_second;            /* wall second of the newest pose kept for long */
  int64_t next_id[STORE_ID_COUNT]; /* the writer is alone: it counts the ids itself */
  uint32_t map_versions_kept;      /* of each map */
};

/* The id of a new row of that table. */
int64_t store_new_id(store_t *store, store_id_t table);

/* A constraint that a row breaks is no row that is there already. */
static inline gantry_err_t store_broken(gantry_err_t err) {
  return err == GANTRY_E_CONFLICT ? GANTRY_E_INTERNAL : err;
}

/* Series and sessions by name. Those made in a transaction that was rolled back are forgotten. */
gantry_err_t store_load_series(store_t *store);
void store_forget_names(store_t *store);
/* Makes what is new; out is valid until the next rollback. GANTRY_E_REFUSED with SERIES_MAX
   there: nothing was written. */
gantry_err_t store_series_of(store_t *store, const char *robot, const series_name_t *name,
                             series_t **out);
/* 0 for "". kind and time are those of a session that is new. */
gantry_err_t store_session_of(store_t *store, const char *name, const char *kind, int64_t ts_us,
                              int64_t *out);
/* Writes the counts of the open transaction into the table of series. */
gantry_err_t store_count_series(store_t *store);

/* What was gathered goes into the database, before other statements do. */
gantry_err_t store_add_gathered(store_t *store);
/* What was gathered is forgotten, or given up with the store. */
void store_gather_clear(store_t *store);
void store_gather_fini(store_t *store);

/* Readings: rows in, history out. */
gantry_err_t store_add_reading(store_t *store, const row_t *row);
/* Whether a chunk holds the row's (series, ts, seq). Asked for what is older than packed_until_us.
 */
gantry_err_t store_is_packed(store_t *store, const db_reading_t *row, bool *packed);
/* What was unpacked to say so has changed. */
void store_late_forget(store_t *store);
void store_late_fini(store_t *store);
/* Takes a row that was added into the roll-ups of the open transaction. */
gantry_err_t store_roll_up(store_t *store, const db_reading_t *row);
/* Writes them; they are empty then. */
gantry_err_t store_write_rollups(store_t *store);
/* Takes a row that was added into the figures of its session, and one finding in it. */
gantry_err_t store_figure(store_t *store, const db_reading_t *row);
gantry_err_t store_figure_finding(store_t *store, const db_reading_t *row);
/* Writes those that changed; what is known of the others stays. */
gantry_err_t store_write_figures(store_t *store);
/* The transaction was rolled back, or the store is closed. */
void store_forget_figures(store_t *store);

/* What rules have found in the rows of a batch that begin at `before`: gathered with them, and
   added to the events once it is known which rows are new. */
gantry_err_t store_gather_findings(store_t *store, const store_origin_t *origin,
                                   const sensor_readings_t *batch, size_t before);
gantry_err_t store_add_findings(store_t *store);
gantry_err_t store_history(store_t *store, store_call_t *call);

/* All other rows. */
gantry_err_t store_add_row(store_t *store, const row_t *row);
gantry_err_t store_add_session(store_t *store, const row_t *row);
gantry_err_t store_add_command(store_t *store, const row_t *row);

/* Whether one more fits into a list that is always told as a whole: what its bound would leave out
   must not be kept either. statement counts its rows, and those of the name that it is bound to;
   who is there already fits. GANTRY_E_CONFLICT when it is full. */
gantry_err_t store_check_room(stmt_t *statement, const char *name, size_t most);

/* Requests, one file a table. */
gantry_err_t store_events(store_t *store, store_call_t *call);
gantry_err_t store_event_ack(store_t *store, store_call_t *call);
gantry_err_t store_alerts(store_t *store, store_call_t *call);
gantry_err_t store_alert_ack(store_t *store, store_call_t *call);
gantry_err_t store_alert_resolve(store_t *store, store_call_t *call);
gantry_err_t store_alerts_forget(store_t *store, store_call_t *call);
gantry_err_t store_readings(store_t *store, store_call_t *call);
gantry_err_t store_columns(store_t *store, store_call_t *call);
gantry_err_t store_aggregate(store_t *store, store_call_t *call);
gantry_err_t store_latest(store_t *store, store_call_t *call);
gantry_err_t store_commands(store_t *store, store_call_t *call);
gantry_err_t store_audit(store_t *store, store_call_t *call);
gantry_err_t store_add_audit(store_t *store, const row_t *row);
/* Writes into the audit log what a request has done, within its transaction. */
gantry_err_t store_note_audit(store_t *store, const store_call_t *call, const char *resource,
                              const char *detail);
gantry_err_t store_audit_verify(store_t *store, store_call_t *call);
gantry_err_t store_poses(store_t *store, store_call_t *call);
gantry_err_t store_pin(store_t *store, store_call_t *call);
gantry_err_t store_state(store_t *store, store_call_t *call);
gantry_err_t store_user_get(store_t *store, store_call_t *call);
gantry_err_t store_user_put(store_t *store, store_call_t *call);
gantry_err_t store_user_count(store_t *store, store_call_t *call);
gantry_err_t store_user_by_id(store_t *store, store_call_t *call);
gantry_err_t store_user_list(store_t *store, store_call_t *call);
gantry_err_t store_user_change(store_t *store, store_call_t *call);
gantry_err_t store_user_delete(store_t *store, store_call_t *call);
gantry_err_t store_user_hashes(store_t *store, store_call_t *call);
gantry_err_t store_identity(store_t *store, store_call_t *call);
gantry_err_t store_login_user(store_t *store, store_call_t *call);
gantry_err_t store_login(store_t *store, store_call_t *call);
gantry_err_t store_session_refresh(store_t *store, store_call_t *call);
gantry_err_t store_login_sessions(store_t *store, store_call_t *call);
gantry_err_t store_session_revoke(store_t *store, store_call_t *call);
gantry_err_t store_service_token_put(store_t *store, store_call_t *call);
gantry_err_t store_service_token_list(store_t *store, store_call_t *call);
gantry_err_t store_service_token_revoke(store_t *store, store_call_t *call);
gantry_err_t store_service_token_used(store_t *store, store_call_t *call);
gantry_err_t store_reset_put(store_t *store, store_call_t *call);
gantry_err_t store_reset_get(store_t *store, store_call_t *call);
gantry_err_t store_map_put(store_t *store, store_call_t *call);
gantry_err_t store_map_get(store_t *store, store_call_t *call);
gantry_err_t store_map_list(store_t *store, store_call_t *call);
gantry_err_t store_map_update(store_t *store, store_call_t *call);
gantry_err_t store_map_delete(store_t *store, store_call_t *call);
gantry_err_t store_map_load(store_t *store, store_call_t *call);
gantry_err_t store_map_versions(store_t *store, store_call_t *call);
gantry_err_t store_map_export(store_t *store, store_call_t *call);
gantry_err_t store_map_import(store_t *store, store_call_t *call);
gantry_err_t store_tags(store_t *store, store_call_t *call);
gantry_err_t store_tag_put(store_t *store, store_call_t *call);
gantry_err_t store_tag_delete(store_t *store, store_call_t *call);
gantry_err_t store_config_put(store_t *store, store_call_t *call);
gantry_err_t store_config_get(store_t *store, store_call_t *call);
gantry_err_t store_config_delete(store_t *store, store_call_t *call);
gantry_err_t store_config_list(store_t *store, store_call_t *call);
gantry_err_t store_sensor_put(store_t *store, store_call_t *call);
gantry_err_t store_sensor_get(store_t *store, store_call_t *call);
gantry_err_t store_sensor_list(store_t *store, store_call_t *call);
gantry_err_t store_calibration_put(store_t *store, store_call_t *call);
gantry_err_t store_setting_put(store_t *store, store_call_t *call);
gantry_err_t store_setting_get(store_t *store, store_call_t *call);
gantry_err_t store_setting_versions(store_t *store, store_call_t *call);
gantry_err_t store_setting_rollback(store_t *store, store_call_t *call);
gantry_err_t store_setting_list(store_t *store, store_call_t *call);
gantry_err_t store_calibrations(store_t *store, store_call_t *call);
gantry_err_t store_session_list(store_t *store, store_call_t *call);
gantry_err_t store_session_summary(store_t *store, store_call_t *call);
gantry_err_t store_session_delete(store_t *store, store_call_t *call);
/* Identity. All within the open transaction. */
store_role_t store_read_role(stmt_t *statement, int column);
/* The number of a change that gateways have to hear of: for the row's `changed`. */
gantry_err_t store_number_change(store_t *store, int64_t *out);
gantry_err_t store_load_user(store_t *store, uint64_t id, store_user_t *out, gantry_fault_t *fault);
/* By name or e-mail address; GANTRY_E_NOT_FOUND without a word. */
gantry_err_t store_find_user(store_t *store, const char *name, store_user_t *out);
/* One more failure in a row; as many as lock_after lock. Changes user alone. */
void store_count_failure(const store_login_t *login, store_user_t *user, uint64_t now_ns);
/* A login under a name that nobody has. */
gantry_err_t store_stranger_failed(store_t *store, store_call_t *call);
/* Those longest unused go when there are many. */
gantry_err_t store_forget_strangers(store_t *store);
/* Writes an existing user as a whole; GANTRY_E_CONFLICT when name or address are another's. */
gantry_err_t store_save_user(store_t *store, const store_user_t *user, store_call_t *call);
/* Takes all open sessions of a user back but `kept` (0: none). */
gantry_err_t store_end_sessions(store_t *store, uint64_t user_id, uint64_t kept, const char *reason,
                                uint64_t now_ns);
/* Keeps the user's present hash among those that may not come again. */
gantry_err_t store_keep_old_hash(store_t *store, const store_user_t *user, uint64_t now_ns);
/* GANTRY_E_NOT_FOUND unless the reset token of a change holds, and is the user's. */
gantry_err_t store_spend_reset(store_t *store, const store_user_change_t *change,
                               store_call_t *call);
/* Steps a statement whose first parameter is a session's id to its row; the caller resets it.
   GANTRY_E_NOT_FOUND with a fault that names the session. */
gantry_err_t store_find_session(stmt_t *statement, const char *session, gantry_fault_t *fault);

#endif
