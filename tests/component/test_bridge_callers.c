/* Many who ask for one stop at once: each is told how it stands, none that nobody is there. */
#include "bridge_rig.h"

#include <criterion/criterion.h>
#include <string.h>

#define CALLERS_WAITED_FOR 64

static bridge_rig_t rig;

static void set_up(void) {
  bridge_rig_open(&rig, NULL);
  cr_assert_not_null(bridge_rig_await(&rig, ROBOT_FSM_STATE_IDLE, 5000));
}

static void tear_down(void) {
  bridge_rig_close(&rig);
}

TestSuite(bridge_callers, .init = set_up, .fini = tear_down, .timeout = 40);

typedef struct answers {
  unsigned wanted, stopped, latched, others; /* of `latched`: timeouts that say so */
} answers_t;

static void on_answer(gantry_err_t err, const gantry_fault_t *told, const void *reply,
                      const sys_header_t *header, void *arg) {
  answers_t *answers = arg;
  (void)header;
  if (err == GANTRY_OK && ((const robot_safety_t *)reply)->motors_off)
    answers->stopped++;
  else if (err == GANTRY_E_TIMEOUT && strstr(told->detail, "the stop is latched"))
    answers->latched++;
  else
    answers->others++;
}

static bool are_answered(void *arg) {
  const answers_t *answers = arg;
  return answers->stopped + answers->latched + answers->others == answers->wanted;
}

static answers_t stop_for(unsigned callers) {
  answers_t answers = {.wanted = callers};
  robot_estop_t estop = {.reason = "test", .cause = ROBOT_CAUSE_SOFTWARE};
  for (unsigned i = 0; i < callers; i++)
    cr_assert_eq(rpc_call(harness_client(rig.harness), REQUEST_ROBOT_ESTOP, NULL, NULL, &estop,
                          1000, on_answer, &answers),
                 GANTRY_OK);
  cr_assert(harness_until(rig.harness, are_answered, &answers, 3000));
  return answers;
}

Test(bridge_callers, all_who_ask_for_one_stop_hear_that_it_is_confirmed) {
  answers_t answers = stop_for(CALLERS_WAITED_FOR);

  cr_assert_eq(answers.stopped, CALLERS_WAITED_FOR, "%u", answers.stopped);
}

Test(bridge_callers, one_more_hears_that_the_stop_is_latched) {
  (void)bridge_rig_ask(&rig, "fault 0x04 silent");

  answers_t answers = stop_for(CALLERS_WAITED_FOR + 1);

  cr_assert_eq(answers.latched, CALLERS_WAITED_FOR + 1, "%u", answers.latched);
}
