/* Look-ups in the generated catalogue. */
#include <gantry/catalogue.h>

#include <string.h>

static bool topic_matches(const topic_t *topic, const char *name) {
  if (!topic->instanced) return strcmp(topic->pattern, name) == 0;
  size_t len = strlen(topic->prefix);
  if (strncmp(topic->prefix, name, len) != 0) return false;
  return name[len] != '\0' && strchr(name + len, '.') == NULL;
}

const topic_t *catalogue_topic(const char *name) {
  for (uint32_t i = 0; i < CATALOGUE_TOPIC_COUNT; i++) {
    if (topic_matches(&CATALOGUE_TOPICS[i], name)) return &CATALOGUE_TOPICS[i];
  }
  return NULL;
}

const request_t *catalogue_request(const char *name) {
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    if (strcmp(CATALOGUE_REQUESTS[i].name, name) == 0) return &CATALOGUE_REQUESTS[i];
  }
  return NULL;
}

const desc_t *catalogue_setting(const char *name) {
  for (uint32_t i = 0; i < CATALOGUE_SETTING_COUNT; i++) {
    if (strcmp(CATALOGUE_SETTINGS[i]->name, name) == 0) return CATALOGUE_SETTINGS[i];
  }
  return NULL;
}

bool topic_has_consumer(const topic_t *topic, const char *service) {
  for (uint32_t i = 0; i < topic->consumer_count; i++) {
    const char *consumer = topic->consumers[i];
    if (strcmp(consumer, "*") == 0 || strcmp(consumer, service) == 0) return true;
  }
  return false;
}

static size_t larger(size_t most, const desc_t *desc) {
  size_t size = desc ? desc_packed_max(desc) : 0;
  return size > most ? size : most;
}

size_t catalogue_max_published(void) {
  size_t most = 0;
  for (uint32_t i = 0; i < CATALOGUE_TOPIC_COUNT; i++) {
    most = larger(most, CATALOGUE_TOPICS[i].message);
  }
  return most;
}

static bool is_served_by(const request_t *request, const char *service) {
  return strcmp(request->server, "*") == 0 || strcmp(request->server, service) == 0;
}

size_t catalogue_max_taken(const char *service) {
  size_t most = 0;
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (is_served_by(request, service)) most = larger(most, request->takes);
  }
  return most;
}

size_t catalogue_max_given(const char *service) {
  size_t most = 0;
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    if (is_served_by(request, service)) most = larger(most, request->gives);
  }
  return most;
}
