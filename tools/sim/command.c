/* The control socket's language. */
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX    6
#define LINE_MAX_LEN 256

typedef bool (*reader_t)(char *const *words, size_t count, command_t *command);

static bool is(const char *word, const char *wanted) {
  return strcmp(word, wanted) == 0;
}

/* A whole number, decimal or 0x, within bounds. */
static bool read_number(const char *word, unsigned long max, unsigned long *out) {
  char *end = NULL;
  errno = 0;
  if (word[0] == '-') return false;
  *out = strtoul(word, &end, 0);
  return !errno && end != word && *end == '\0' && *out <= max;
}

static bool read_double(const char *word, double *out) {
  char *end = NULL;
  *out = strtod(word, &end);
  return end != word && *end == '\0';
}

static bool read_unit(const char *word, command_t *command) {
  unsigned long unit = 0;
  if (!read_number(word, 255, &unit)) return false;
  command->unit = (uint8_t)unit;
  return true;
}

/* `400ms`, `400us`, `0-400ms`: a fixed delay or a uniform one. */
static bool read_late(const char *word, command_t *command) {
  char *end = NULL;
  unsigned long min = strtoul(word, &end, 10), max = min;
  if (end == word) return false;
  if (*end == '-') {
    const char *second = end + 1;
    max = strtoul(second, &end, 10);
    if (end == second) return false;
  }
  unsigned long scale = is(end, "ms") || is(end, "") ? 1000 : is(end, "us") ? 1 : 0;
  if (scale == 0 || max < min || max > 60000000 / scale) return false;
  command->fault.late_min_us = (uint32_t)(min * scale);
  command->fault.late_max_us = (uint32_t)(max * scale);
  command->set_late = true;
  return true;
}

static bool read_fault(char *const *words, size_t count, command_t *command) {
  if (count < 3 || !read_unit(words[1], command)) return false;
  command->set_silent = is(words[2], "silent") && count == 3;
  command->set_garbage = is(words[2], "garbage") && count == 3;
  command->clear = is(words[2], "clear") && count == 3;
  command->fault.silent = command->set_silent;
  command->fault.garbage = command->set_garbage;
  if (count == 3) return command->set_silent || command->set_garbage || command->clear;
  if (count != 4) return false;
  if (is(words[2], "late")) return read_late(words[3], command);
  if (is(words[2], "crc")) {
    char *end = NULL;
    command->fault.crc_share = strtod(words[3], &end) / 100.0;
    command->set_crc = true;
    return end != words[3] && (is(end, "%") || is(end, "")) && command->fault.crc_share >= 0.0 &&
           command->fault.crc_share <= 1.0;
  }
  unsigned long code = 0;
  if (!is(words[2], "exception") || !read_number(words[3], 255, &code)) return false;
  command->fault.exception = (uint8_t)code;
  command->set_exception = true;
  return true;
}

/* Two words, the second one of two. */
static bool read_choice(char *const *words, size_t count, const char *yes, const char *no,
                        bool *out) {
  if (count != 2) return false;
  *out = is(words[1], yes);
  return *out || is(words[1], no);
}

static bool read_estop(char *const *words, size_t count, command_t *command) {
  return read_choice(words, count, "on", "off", &command->on);
}

static bool read_lidar(char *const *words, size_t count, command_t *command) {
  return read_choice(words, count, "start", "stop", &command->on);
}

static bool read_port(char *const *words, size_t count, command_t *command) {
  return read_choice(words, count, "lidar", "rs485", &command->lidar_port);
}

static bool read_world(char *const *words, size_t count, command_t *command) {
  if (count != 2) return false;
  command->mode = is(words[1], "stop")     ? WORLD_STOPPED
                  : is(words[1], "freeze") ? WORLD_FROZEN
                                           : WORLD_RUNS;
  return command->mode != WORLD_RUNS || is(words[1], "start");
}

static bool read_obstacle(char *const *words, size_t count, command_t *command) {
  if (count == 2) return is(words[1], "clear");
  command->on = true;
  return count == 5 && is(words[1], "add") && read_double(words[2], &command->x) &&
         read_double(words[3], &command->y) && read_double(words[4], &command->radius_m);
}

static bool read_reg(char *const *words, size_t count, command_t *command) {
  unsigned long address = 0;
  if (count != 3 || !read_unit(words[1], command) || !read_number(words[2], 65535, &address))
    return false;
  command->address = (uint16_t)address;
  return true;
}

static bool read_line(char *const *words, size_t count, command_t *command) {
  (void)command;
  return count == 2 && is(words[1], "clear");
}

static bool read_nothing(char *const *words, size_t count, command_t *command) {
  (void)words;
  (void)command;
  return count == 1;
}

static const struct {
  const char *word;
  command_kind_t kind;
  reader_t read;
  const char *help;
} table[] = {
    {"fault", COMMAND_FAULT, read_fault,
     "fault UNIT silent|crc N%|late MSms|late A-Bms|exception CODE|garbage|clear"},
    {"estop", COMMAND_ESTOP, read_estop, "estop on|off"},
    {"lidar", COMMAND_LIDAR, read_lidar, "lidar stop|start"},
    {"world", COMMAND_WORLD, read_world, "world stop|freeze|start"},
    {"obstacle", COMMAND_OBSTACLE, read_obstacle, "obstacle add X Y R|clear"},
    {"unplug", COMMAND_UNPLUG, read_port, "unplug rs485|lidar"},
    {"plug", COMMAND_PLUG, read_port, "plug rs485|lidar"},
    {"state", COMMAND_STATE, read_nothing, "state"},
    {"line", COMMAND_LINE_CLEAR, read_line, "line clear"},
    {"reg", COMMAND_REG, read_reg, "reg UNIT ADDRESS"},
    {"seed", COMMAND_SEED, read_nothing, "seed"},
};

bool command_parse(const char *line, command_t *command) {
  char copy[LINE_MAX_LEN];
  char *words[WORDS_MAX];
  char *rest = NULL;
  size_t count = 0, len = strlen(line);
  memset(command, 0, sizeof *command);
  if (len >= sizeof copy) return false;
  memcpy(copy, line, len + 1);
  for (char *word = strtok_r(copy, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest)) {
    if (count == WORDS_MAX) return false;
    words[count++] = word;
  }
  for (size_t i = 0; count > 0 && i < sizeof table / sizeof table[0]; i++) {
    if (!is(words[0], table[i].word)) continue;
    command->kind = table[i].kind;
    return table[i].read(words, count, command);
  }
  return false;
}

void command_apply_fault(const command_t *command, module_fault_t *fault) {
  const module_fault_t *wanted = &command->fault;
  if (command->clear) memset(fault, 0, sizeof *fault);
  if (command->set_silent) fault->silent = true;
  if (command->set_garbage) fault->garbage = true;
  if (command->set_exception) fault->exception = wanted->exception;
  if (command->set_crc) fault->crc_share = wanted->crc_share;
  if (command->set_late) {
    fault->late_min_us = wanted->late_min_us;
    fault->late_max_us = wanted->late_max_us;
  }
}

const char *command_help(size_t i) {
  return i < sizeof table / sizeof table[0] ? table[i].help : NULL;
}
