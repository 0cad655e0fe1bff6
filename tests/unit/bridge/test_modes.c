/* What each mode allows, how fast; words and lamps. */
#include <criterion/criterion.h>

#include "modes.h"

/* The table of docs/robot.md. */
static const unsigned allowed[MODES] = {
    [MODE_AUTO] = MODE_MOVE | MODE_HOME | MODE_DOCK | MODE_UNDOCK | MODE_CARGO | MODE_SPEED,
    [MODE_MANUAL] = MODE_JOG | MODE_CARGO | MODE_SPEED | MODE_WRITE,
    [MODE_SEMI] =
        MODE_JOG | MODE_MOVE | MODE_HOME | MODE_DOCK | MODE_UNDOCK | MODE_CARGO | MODE_SPEED,
    [MODE_MAINTENANCE] = MODE_JOG | MODE_CARGO | MODE_SPEED | MODE_CONFIGURE | MODE_WRITE,
    [MODE_EMERGENCY] = MODE_JOG | MODE_HOME | MODE_UNDOCK,
};

Test(modes, allow_what_the_table_says_and_nothing_else) {
  for (int mode = 0; mode < MODES; mode++)
    for (unsigned act = MODE_JOG; act <= MODE_WRITE; act <<= 1)
      cr_assert_eq(mode_allows((mode_id_t)mode, (mode_act_t)act), (allowed[mode] & act) != 0,
                   "%s, act %u", mode_name((mode_id_t)mode), act);
}

Test(modes, an_unknown_mode_allows_nothing) {
  cr_assert_not(mode_allows(MODES, MODE_JOG));
  cr_assert_str_eq(mode_name(MODES), "?");
}

Test(modes, limit_the_speed) {
  static const struct {
    mode_id_t mode;
    double jog_mps, command_mps;
  } rows[] = {{MODE_AUTO, 1.0, 1.0},
              {MODE_MANUAL, 1.0, 1.0},
              {MODE_SEMI, 1.0, 1.0},
              {MODE_MAINTENANCE, 0.25, 0.25},
              {MODE_EMERGENCY, 0.1, 0.5}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    cr_assert_float_eq(mode_limit_mps(rows[i].mode, true, 1.0), rows[i].jog_mps, 1e-9);
    cr_assert_float_eq(mode_limit_mps(rows[i].mode, false, 1.0), rows[i].command_mps, 1e-9);
  }
  cr_assert_float_eq(mode_limit_mps(MODE_EMERGENCY, false, 0.3), 0.3, 1e-9, "never above the most");
}

Test(modes, a_robot_that_takes_no_order_is_never_called_idle) {
  for (int state = 0; state < ROBOT_STATES; state++) {
    word_t word = word_of((robot_state_t)state, false);
    cr_assert_eq(word == WORD_IDLE, state == ROBOT_IDLE, "%s",
                 robot_state_name((robot_state_t)state));
  }
}

Test(modes, charging_is_a_word_of_idle_alone) {
  cr_assert_eq(word_of(ROBOT_IDLE, true), WORD_CHARGING);
  cr_assert_eq(word_of(ROBOT_MOVE, true), WORD_MOVING);
  cr_assert_eq(word_of(ROBOT_SAFE, true), WORD_EMERGENCY_STOP);
  cr_assert_eq(word_of(ROBOT_FAULT, true), WORD_ERROR);
}

Test(modes, the_error_lamp_tells_the_latched_states_apart) {
  cr_assert_eq(lamps_of(ROBOT_ESTOP).error, LAMP_ON);
  cr_assert_eq(lamps_of(ROBOT_FAULT).error, LAMP_FAST);
  cr_assert_eq(lamps_of(ROBOT_SAFE).error, LAMP_SLOW);
  for (int state = 0; state < ROBOT_STATES; state++)
    if (state != ROBOT_ESTOP && state != ROBOT_FAULT && state != ROBOT_SAFE)
      cr_assert_eq(lamps_of((robot_state_t)state).error, LAMP_OFF);
}

Test(modes, the_system_lamp_is_that_of_the_documents) {
  static const lamp_t system[ROBOT_STATES] = {
      [ROBOT_BOOT] = LAMP_FAST,   [ROBOT_INIT] = LAMP_SLOW,   [ROBOT_IDLE] = LAMP_ON,
      [ROBOT_MOVE] = LAMP_FAST,   [ROBOT_DOCK] = LAMP_PULSE,  [ROBOT_PAUSED] = LAMP_PULSE,
      [ROBOT_CONFIG] = LAMP_SLOW, [ROBOT_SAFE] = LAMP_ON,     [ROBOT_FAULT] = LAMP_OFF,
      [ROBOT_ESTOP] = LAMP_OFF,   [ROBOT_SHUTDOWN] = LAMP_OFF};
  for (int state = 0; state < ROBOT_STATES; state++)
    cr_assert_eq(lamps_of((robot_state_t)state).system, system[state], "%s",
                 robot_state_name((robot_state_t)state));
}
