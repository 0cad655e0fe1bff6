/* What is expected of answers. */
#include "door.h"

#include <criterion/criterion.h>
#include <gantry/catalogue.h>
#include <gantry/json.h>
#include <stdlib.h>
#include <string.h>

answer_t expect_route(const char *method, const char *path, const char *body, uint32_t endpoint) {
  const endpoint_t *row = &CATALOGUE_ENDPOINTS[endpoint];
  gantry_fault_t fault = {0};
  answer_t answer = door_request(method, path, body);
  void *value = calloc(1, row->answer->size);

  cr_assert_eq(answer.status, row->status, "%s %s: %d %s", method, path, answer.status,
               answer.body);
  cr_expect_eq(json_read(row->answer, answer.body, answer.body_len, true, value, &fault), GANTRY_OK,
               "%s: %s %s in %s", path, fault.field, fault.detail, answer.body);
  free(value);
  return answer;
}

void expect_text(const answer_t *answer, const char *text) {
  cr_expect_not_null(strstr(answer->body, text), "%s in %s", text, answer->body);
}
