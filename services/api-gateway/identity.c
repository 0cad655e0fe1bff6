/* One table sorted by kind and number: users and machines with what they may do, sessions and users
   that are gone. There are a handful of each. */
#include "identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct table {
  store_identity_row_t *rows; /* owned, by kind and id */
  size_t count, room;
} table_t;

struct identity {
  table_t table;
  bool known;
};

gantry_err_t identity_new(identity_t **out) {
  *out = calloc(1, sizeof **out);
  return *out ? GANTRY_OK : GANTRY_E_INTERNAL;
}

void identity_destroy(identity_t **self) {
  if (!*self) return;
  free((*self)->table.rows);
  free(*self);
  *self = NULL;
}

void identity_clear(identity_t *identity) {
  identity->table.count = 0;
  identity->known = false;
}

void identity_set_known(identity_t *identity, bool known) {
  identity->known = known;
}

bool identity_is_known(const identity_t *identity) {
  return identity->known;
}

/* Where the row of that kind and id stands, or would. */
static size_t place_of(const table_t *table, store_identity_kind_t kind, uint64_t id) {
  size_t low = 0, high = table->count;

  while (low < high) {
    size_t middle = (low + high) / 2;
    const store_identity_row_t *row = &table->rows[middle];
    if (row->kind < kind || (row->kind == kind && row->id < id))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static const store_identity_row_t *find(const identity_t *identity, store_identity_kind_t kind,
                                        uint64_t id) {
  const table_t *table = &identity->table;
  size_t at = place_of(table, kind, id);

  if (at == table->count || table->rows[at].kind != kind || table->rows[at].id != id) return NULL;
  return &table->rows[at];
}

static bool make_room(table_t *table) {
  if (table->count < table->room) return true;
  size_t room = table->room ? 2 * table->room : 64;
  store_identity_row_t *rows = reallocarray(table->rows, room, sizeof *rows);
  if (!rows) return false;
  table->rows = rows;
  table->room = room;
  return true;
}

gantry_err_t identity_take(identity_t *identity, const store_identity_row_t *row) {
  table_t *table = &identity->table;
  size_t at = place_of(table, row->kind, row->id);

  if (!find(identity, row->kind, row->id)) {
    if (!make_room(table)) {
      identity_clear(identity);
      return GANTRY_E_INTERNAL;
    }
    memmove(&table->rows[at + 1], &table->rows[at], (table->count - at) * sizeof *table->rows);
    table->count++;
  }
  table->rows[at] = *row;
  return GANTRY_OK;
}

void identity_expire(identity_t *identity, uint64_t now_ns) {
  table_t *table = &identity->table;
  size_t kept = 0;

  for (size_t i = 0; i < table->count; i++) {
    const store_identity_row_t *row = &table->rows[i];
    bool ends = row->kind == STORE_IDENTITY_KIND_SESSION || row->kind == STORE_IDENTITY_KIND_GONE;
    if (ends && row->until != 0 && row->until < now_ns) continue;
    table->rows[kept++] = *row;
  }
  table->count = kept;
}

/* ---- questions */

static gantry_err_t refuse(gantry_fault_t *fault, const char *reason) {
  gantry_err_t err = fault_set(fault, GANTRY_E_UNAUTHENTICATED, "", "%s", reason);

  if (fault) snprintf(fault->code, sizeof fault->code, "TOKEN_REVOKED");
  return err;
}

static gantry_err_t refuse_unknown(gantry_fault_t *fault) {
  gantry_err_t err = fault_set(fault, GANTRY_E_UNAVAILABLE, "", "%s",
                               "Storage has not said yet who may come in; try again in a second.");

  if (fault) snprintf(fault->code, sizeof fault->code, "IDENTITY_UNKNOWN");
  return err;
}

static gantry_err_t check_machine(const store_identity_row_t *row, uint64_t now_ns,
                                  auth_subject_t *subject, gantry_fault_t *fault) {
  if (!row || !row->active) return refuse(fault, "This service token was revoked, or never made.");
  if (row->until != 0 && row->until <= now_ns)
    return refuse(fault, "This service token has ended.");
  subject->role = row->role;
  return GANTRY_OK;
}

gantry_err_t identity_check(const identity_t *identity, uint64_t now_ns, auth_subject_t *subject,
                            gantry_fault_t *fault) {
  const store_identity_row_t *row;

  if (!identity->known) return refuse_unknown(fault);
  if (subject->machine) {
    row = find(identity, STORE_IDENTITY_KIND_SERVICE, subject->machine);
    return check_machine(row, now_ns, subject, fault);
  }
  if (subject->session && find(identity, STORE_IDENTITY_KIND_SESSION, subject->session))
    return refuse(fault, "The session was ended; log in again.");
  if (find(identity, STORE_IDENTITY_KIND_GONE, subject->user_id))
    return refuse(fault, "The user is no more.");
  row = find(identity, STORE_IDENTITY_KIND_USER, subject->user_id);
  if (!row) return GANTRY_OK;
  if (!row->active) return refuse(fault, "The user is disabled.");
  subject->role = row->role;
  subject->must_change = row->must_change;
  return GANTRY_OK;
}

/* "machine:NAME"; a long name is cut, never within a character of UTF-8. */
static void name_machine(const char *name, char *out, size_t size) {
  size_t room = size - sizeof "machine:", len = strlen(name);

  if (len > room)
    for (len = room; len > 0 && ((uint8_t)name[len] & 0xc0) == 0x80;)
      len--;
  snprintf(out, size, "machine:%.*s", (int)len, name);
}

gantry_err_t identity_machine(const identity_t *identity, const char *hash, uint64_t now_ns,
                              auth_subject_t *out, gantry_fault_t *fault) {
  const table_t *table = &identity->table;

  if (!identity->known) return refuse_unknown(fault);
  for (size_t i = place_of(table, STORE_IDENTITY_KIND_SERVICE, 0);
       i < table->count && table->rows[i].kind == STORE_IDENTITY_KIND_SERVICE; i++) {
    const store_identity_row_t *row = &table->rows[i];
    if (strcmp(row->hash, hash) != 0) continue;
    *out = (auth_subject_t){.machine = row->id};
    name_machine(row->name, out->name, sizeof out->name);
    return check_machine(row, now_ns, out, fault);
  }
  return check_machine(NULL, now_ns, out, fault);
}
