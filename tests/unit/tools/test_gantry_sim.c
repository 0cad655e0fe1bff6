/* gantry sim, on a simulator that runs and on none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "commands.h"
#include "sim_process.h"

static sim_process_t process;

static void start(void) {
  sim_process_start(&process, NULL);
  cr_redirect_stdout();
  cr_redirect_stderr();
}

static void stop(void) {
  sim_process_stop(&process);
}

static void redirect(void) {
  cr_redirect_stdout();
  cr_redirect_stderr();
}

#define RUN(...)                                                                                   \
  command_sim((int)(sizeof((char *[]){"sim", __VA_ARGS__}) / sizeof(char *)),                      \
              (char *[]){"sim", __VA_ARGS__})
#define RUN_HERE(...) RUN("--control", process.socket, __VA_ARGS__)

static const char *said(FILE *stream) {
  static char text[16384];
  (void)fflush(stdout);
  (void)fflush(stderr);
  size_t len = fread(text, 1, sizeof text - 1, stream);
  text[len] = '\0';
  return text;
}

Test(gantry_sim, does_what_its_words_say, .init = start, .fini = stop) {
  cr_assert_eq(RUN_HERE("obstacle", "add", "1", "-2", "0.5"), 0);
  cr_assert_eq(RUN_HERE("estop", "on"), 0);

  const char *state = sim_process_ask(&process, "state");
  cr_assert_eq(sim_process_number(state, "obstacles"), 1);
  cr_assert(strstr(state, "\"estop\":true"));
}

Test(gantry_sim, finds_the_simulator_beside_the_bus, .init = start, .fini = stop) {
  char bus[128];
  (void)snprintf(bus, sizeof bus, "ipc://%s", process.folder);
  cr_assert_eq(setenv("GANTRY_BUS", bus, 1), 0);

  cr_assert_eq(RUN("state"), 0);

  cr_assert(strstr(said(cr_get_redirected_stdout()), "\n \"rail_m\":0.00000,"));
}

Test(gantry_sim, draws_the_hall, .init = start, .fini = stop) {
  char path[128], magic[9] = "";
  (void)snprintf(path, sizeof path, "%s/hall.png", process.folder);
  cr_assert_eq(RUN_HERE("obstacle", "add", "-6", "-5", "0.3"), 0);

  cr_assert_eq(RUN_HERE("picture", path), 0);
  FILE *file = fopen(path, "rb");
  cr_assert_not_null(file);
  cr_assert_eq(fread(magic, 1, 8, file), 8);
  (void)fclose(file);
  (void)remove(path);

  cr_assert_arr_eq(magic, "\x89PNG\r\n\x1a\n", 8);
  cr_assert_eq(RUN_HERE("picture", "/nowhere/hall.png"), 1);
}

Test(gantry_sim, tells_what_the_simulator_refuses, .init = start, .fini = stop) {
  cr_assert_eq(RUN_HERE("fault", "99", "silent"), 1);

  cr_assert(strstr(said(cr_get_redirected_stderr()), "there is no module at that address"));
}

Test(gantry_sim, names_the_wrong_word_without_asking_anybody, .init = redirect) {
  cr_assert_eq(RUN("--control", "/nowhere", "fault", "3", "loud"), 64);

  const char *text = said(cr_get_redirected_stderr());
  cr_assert(strstr(text, "'loud'"), "%s", text);
  cr_assert(strstr(text, "silent, lost, crc"), "%s", text);
}

Test(gantry_sim, says_that_no_simulator_runs, .init = redirect) {
  cr_assert_eq(RUN("--control", "/nowhere/control", "estop", "on"), 69);

  const char *text = said(cr_get_redirected_stderr());
  cr_assert(strstr(text, "/nowhere/control"), "%s", text);
  cr_assert(strstr(text, "./scripts/run"), "%s", text);
}

Test(gantry_sim, refuses_options_and_buses_it_cannot_use, .init = redirect) {
  cr_assert_eq(RUN("--loud", "estop", "on"), 64);
  cr_assert_eq(RUN("--control"), 64);
  cr_assert_eq(RUN("--bus", "tcp://127.0.0.1:5000", "estop", "on"), 64);
  cr_assert_eq(command_sim(1, (char *[]){"sim"}), 64);
}

Test(gantry_sim, lists_every_command_in_its_help, .init = redirect) {
  cr_assert_eq(RUN("--help"), 0);

  const char *text = said(cr_get_redirected_stdout());
  cr_assert(strstr(text, "fault UNIT crc SHARE"), "%s", text);
  cr_assert(strstr(text, "somebody crosses the rail ahead"), "%s", text);
  cr_assert(strstr(text, "slave address, 1 to 247"), "%s", text);
}
