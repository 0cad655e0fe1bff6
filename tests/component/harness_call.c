/* Calls as a tool would, and the folder that services keep their data in. */
#include "harness_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void harness_make_folder(harness_t *harness) {
  snprintf(harness->folder, sizeof harness->folder, "/tmp/gantry_harness_XXXXXX");
  harness_must(mkdtemp(harness->folder), "no folder under /tmp");
}

void harness_remove_folder(harness_t *harness) {
  DIR *folder = opendir(harness->folder);
  for (struct dirent *each = folder ? readdir(folder) : NULL; each; each = readdir(folder))
    unlinkat(dirfd(folder), each->d_name, 0);
  if (folder) closedir(folder);
  rmdir(harness->folder);
}

const char *harness_folder(const harness_t *harness) {
  return harness->folder;
}

void harness_forget(harness_t *harness) {
  for (size_t i = 0; i < harness->kept_count; i++) {
    free(harness->kept[i]);
  }
  free(harness->kept);
  harness->kept = NULL;
  harness->kept_count = 0;
}

typedef struct answered {
  harness_t *harness;
  const request_t *request;
  void *reply;
  gantry_fault_t fault;
  bool done;
} answered_t;

static void keep_blob(harness_t *harness, blob_t *blob) {
  void *copy = malloc(blob->len + 1);
  size_t size = (harness->kept_count + 1) * sizeof(void *);
  void **kept = realloc(harness->kept, size);
  harness_must(copy && kept, "out of memory");
  if (blob->len > 0) memcpy(copy, blob->data, blob->len);
  harness->kept = kept;
  harness->kept[harness->kept_count++] = copy;
  blob->data = copy;
}

/* The reply's bytes go with the callback: every blob in the copied struct gets bytes of its own. */
static void keep_blobs(harness_t *harness, const desc_t *desc, uint8_t *value) {
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    uint32_t count = 1;
    if (field->array) memcpy(&count, value + field->count_offset, sizeof count);
    for (uint32_t k = 0; k < count; k++) {
      uint8_t *element = value + field->offset + (size_t)k * field->size;
      if (field->type == DESC_BLOB) keep_blob(harness, (blob_t *)(void *)element);
      if (field->type == DESC_MESSAGE) keep_blobs(harness, field->message, element);
    }
  }
}

static void on_answer(gantry_err_t err, const gantry_fault_t *fault, const void *reply,
                      const sys_header_t *header, void *arg) {
  answered_t *answered = arg;
  (void)header;
  answered->fault = *fault;
  answered->fault.err = err;
  answered->done = true;
  if (!reply || !answered->reply) return;
  memcpy(answered->reply, reply, answered->request->gives->size);
  keep_blobs(answered->harness, answered->request->gives, answered->reply);
}

static bool is_answered(void *arg) {
  return ((answered_t *)arg)->done;
}

gantry_err_t harness_call(harness_t *harness, const request_t *request, const char *server,
                          const void *takes, void *reply, uint32_t timeout_ms,
                          gantry_fault_t *fault) {
  harness_forget(harness);
  answered_t answered = {.harness = harness, .request = request, .reply = reply};
  gantry_err_t err =
      rpc_call(harness->client, request, server, NULL, takes, timeout_ms, on_answer, &answered);
  if (err != GANTRY_OK) return fault_set(fault, err, "", "%s was not sent", request->name);
  uint32_t limit_ms = (timeout_ms ? timeout_ms : request->timeout_ms) + 2000;
  harness_must(harness_until(harness, is_answered, &answered, limit_ms),
               "a call is never answered");
  if (fault) *fault = answered.fault;
  return answered.fault.err;
}

void harness_keep(harness_t *harness, harness_peer_t *peer, const char *folder) {
  const outbox_settings_t settings = {.folder = folder,
                                      .service = bus_service(peer->bus),
                                      .boot = bus_boot(peer->bus),
                                      .limit_bytes = 64u << 20};
  harness_must(outbox_open(&settings, harness->loop, &peer->outbox) == GANTRY_OK, "no outbox");
  harness_must(delivery_new(peer->outbox, peer->bus, peer->client, &peer->delivery) == GANTRY_OK,
               "no delivery");
  bus_set_outbox(peer->bus, peer->outbox);
}
