/* Copies a request: the struct at once, then each blob its descriptor names. */
#include "job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool own_blobs(const desc_t *desc, uint8_t *value, arena_t *arena);

static bool own_element(const desc_field_t *field, uint8_t *element, arena_t *arena) {
  if (field->type == DESC_MESSAGE) return own_blobs(field->message, element, arena);
  if (field->type != DESC_BLOB) return true;
  blob_t blob;
  memcpy(&blob, element, sizeof blob);
  blob.data = arena_copy(arena, blob.data, blob.len);
  memcpy(element, &blob, sizeof blob);
  return blob.data != NULL;
}

static bool own_blobs(const desc_t *desc, uint8_t *value, arena_t *arena) {
  for (uint32_t i = 0; i < desc->field_count; i++) {
    const desc_field_t *field = &desc->fields[i];
    uint32_t count = 1;
    if (field->type != DESC_MESSAGE && field->type != DESC_BLOB) continue;
    if (field->array) memcpy(&count, value + field->count_offset, sizeof count);
    for (uint32_t k = 0; k < count; k++)
      if (!own_element(field, value + field->offset + (size_t)k * field->size, arena)) return false;
  }
  return true;
}

job_t *job_new(const request_t *request, const void *takes, const char *actor, uint64_t now_ns,
               void *token) {
  job_t *job = calloc(1, sizeof *job);
  if (!job) return NULL;
  job->request = request;
  job->token = token;
  job->now_ns = now_ns;
  snprintf(job->actor, sizeof job->actor, "%s", actor);
  /* A message without fields still needs memory to point to. */
  job->takes = malloc(request->takes->size + 1);
  job->gives = calloc(1, request->gives->size + 1);
  if (job->takes) memcpy(job->takes, takes, request->takes->size);
  if (!job->takes || !job->gives || !own_blobs(request->takes, job->takes, &job->arena))
    job_destroy(&job);
  return job;
}

void job_serve(job_t *job, store_t *store) {
  store_call_t call = {.request = job->request,
                       .takes = job->takes,
                       .gives = job->gives,
                       .arena = &job->arena,
                       .now_ns = job->now_ns,
                       .actor = job->actor,
                       .fault = &job->fault};
  job->err = store_serve(store, &call);
}

void job_destroy(job_t **self) {
  job_t *job = *self;
  if (!job) return;
  arena_fini(&job->arena);
  free(job->takes);
  free(job->gives);
  free(job);
  *self = NULL;
}
