/* The audit chain: entries are appended, never changed and never deleted, and each carries the
   SHA-256 of itself together with its predecessor's. What is hashed is one line of JSON: every
   column but `hash`, keys sorted, no spaces, so that anybody can compute it again:
     {"action":…,"actor":…,"address":…,"boot":…,"detail":…,"id":…,"previous_hash":…,"resource":…,
      "robot":…,"seq":…,"service":…,"success":…,"trace":…,"ts":…}
   The newest entry's id and hash stand in service_state too, so that a cut end is seen. */
#ifndef STORAGE_AUDIT_H
#define STORAGE_AUDIT_H

#include <messages.h>

#include "db.h"

typedef struct audit_entry {
  int64_t id;    /* above all others */
  int64_t ts_us; /* since 1970 UTC */
  const char *service, *robot, *actor, *action, *resource, *address, *detail;
  bool success;
  uint64_t trace, boot, seq; /* service, boot and seq are unique */
} audit_entry_t;

/* Appends within the open transaction. GANTRY_E_CONFLICT for an entry it already has. */
gantry_err_t audit_append(db_t *db, const audit_entry_t *entry);

/* Notes where the chain begins now, in the transaction that has cut its old end off by age: the
   hash that the first entry that stays names as its predecessor's. */
gantry_err_t audit_note_cut(db_t *db, uint64_t now_us);

/* Examines up to take->limit entries behind take->after. Entries from before the chain, which have
   no hash, are counted only. A broken entry ends the run and is named in out: that is no error. */
gantry_err_t audit_verify(db_t *db, const store_audit_verify_t *take, store_audit_verified_t *out);

#endif
