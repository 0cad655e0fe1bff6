/* Passes calls to the back end, and knows which requests write. */
#include "store.h"

void store_close(store_t **self) {
  if (!*self) return;
  (*self)->ops->close(*self);
  *self = NULL;
}

gantry_err_t store_begin(store_t *store) {
  return store->ops->begin(store);
}

gantry_err_t store_commit(store_t *store) {
  return store->ops->commit(store);
}

void store_rollback(store_t *store) {
  store->ops->rollback(store);
}

gantry_err_t store_add(store_t *store, const row_t *row) {
  return store->ops->add(store, row);
}

static gantry_err_t serve_in_transaction(store_t *store, store_call_t *call) {
  gantry_err_t err = store_begin(store);
  if (err == GANTRY_OK) err = store->ops->serve(store, call);
  if (err == GANTRY_OK) err = store_commit(store);
  if (err != GANTRY_OK) store_rollback(store);
  return err;
}

gantry_err_t store_serve(store_t *store, store_call_t *call) {
  gantry_err_t err = store_writes(call->request) ? serve_in_transaction(store, call)
                                                 : store->ops->serve(store, call);
  if (err != GANTRY_OK && call->fault->err == GANTRY_OK)
    fault_set(call->fault, err, "", "the database did not take %s", call->request->name);
  return err;
}

bool store_writes(const request_t *request) {
  static const request_t *const WRITING[] = {
      REQUEST_STORE_USER_PUT,       REQUEST_STORE_MAP_PUT,       REQUEST_STORE_MAP_UPDATE,
      REQUEST_STORE_MAP_DELETE,     REQUEST_STORE_TAG_PUT,       REQUEST_STORE_TAG_DELETE,
      REQUEST_STORE_CONFIG_PUT,     REQUEST_STORE_CONFIG_DELETE, REQUEST_STORE_SENSOR_PUT,
      REQUEST_STORE_CALIBRATION_PUT};
  for (size_t i = 0; i < sizeof WRITING / sizeof WRITING[0]; i++)
    if (request == WRITING[i]) return true;
  return false;
}

gantry_err_t store_retain(store_t *store, const retention_t *policy, uint64_t now_us,
                          uint32_t limit, uint32_t *deleted) {
  return store->ops->retain(store, policy, now_us, limit, deleted);
}
