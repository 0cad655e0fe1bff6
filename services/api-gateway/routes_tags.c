/* Surveyed RFID tags, kept by storage. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "view.h"

static void on_tags(exchange_t *x, const void *reply) {
  const store_tags_t *tags = reply;
  http_rfid_tags_t *answer = calloc(1, sizeof *answer);

  if (!answer) {
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
    return;
  }
  answer->success = true;
  answer->total_count = answer->tags_count = tags->tags_count;
  for (uint32_t i = 0; i < tags->tags_count; i++)
    view_tag(&tags->tags[i], &answer->tags[i]);
  exchange_answer(x, answer);
  free(answer);
}

static void on_list(exchange_t *x) {
  sys_empty_t nothing = {0};

  exchange_call(x, REQUEST_STORE_TAGS, &nothing, on_tags, NULL);
}

static void on_stored(exchange_t *x, const void *reply) {
  const store_tag_t *tag = reply;

  exchange_done(x, "The tag %s is stored.", tag->tag);
}

static void on_put(exchange_t *x) {
  const http_rfid_tag_t *body = x->body;
  store_tag_t tag;

  memset(&tag, 0, sizeof tag);
  snprintf(tag.tag, sizeof tag.tag, "%s", body->tag_id);
  tag.x = body->x / VIEW_MM;
  tag.y = body->y / VIEW_MM;
  tag.z = body->has_z ? body->z / VIEW_MM : 0;
  tag.has_orientation = body->has_orientation;
  tag.orientation = body->orientation;
  snprintf(tag.type, sizeof tag.type, "%s", body->has_tag_type ? body->tag_type : "landmark");
  tag.active = body->has_is_active ? body->is_active : true;
  tag.has_description = body->has_description;
  snprintf(tag.description, sizeof tag.description, "%s", body->description);
  exchange_call(x, REQUEST_STORE_TAG_PUT, &tag, on_stored, NULL);
}

static void on_deleted(exchange_t *x, const void *reply) {
  const store_tag_key_t *key = reply;

  exchange_done(x, "The tag %s is deleted.", key->tag);
}

static void on_delete(exchange_t *x) {
  const http_tag_params_t *params = x->params;
  store_tag_key_t key = {0};

  snprintf(key.tag, sizeof key.tag, "%s", params->tag_id);
  exchange_call(x, REQUEST_STORE_TAG_DELETE, &key, on_deleted, NULL);
}

const call_route_t ROUTES_TAGS[] = {
    {ENDPOINT_TAGS_LIST, on_list},
    {ENDPOINT_TAGS_PUT, on_put},
    {ENDPOINT_TAGS_DELETE, on_delete},
    {0, NULL},
};
