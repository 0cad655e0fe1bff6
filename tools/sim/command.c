/* Reads the control language: words against patterns, from left to right. What is wrong is the
   first word that no pattern has there. */
#include "command.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX    8
#define LINE_MAX_LEN 256
#define WORD_SHOWN   40

typedef struct words {
  char line[LINE_MAX_LEN];
  const char *word[WORDS_MAX];
  size_t count;
} words_t;

static bool split(const char *line, words_t *words) {
  char *rest = NULL;
  size_t len = strlen(line);
  words->count = 0;
  if (len >= sizeof words->line) return false;
  memcpy(words->line, line, len + 1);
  for (char *word = strtok_r(words->line, " \t\r", &rest); word;
       word = strtok_r(NULL, " \t\r", &rest)) {
    if (words->count == WORDS_MAX) return false;
    words->word[words->count++] = word;
  }
  return true;
}

static bool is(const char *word, const char *wanted) {
  return strcmp(word, wanted) == 0;
}

/* `400ms`, `400us`, `0-400ms`: a fixed delay or a uniform one. */
static size_t read_time(const command_arg_t *arg, const char *word, double out[2]) {
  char *end = NULL;
  if (!isdigit((unsigned char)word[0])) return 0;
  double min = (double)strtoul(word, &end, 10), max = min;
  if (*end == '-') {
    const char *second = end + 1;
    if (!isdigit((unsigned char)*second)) return 0;
    max = (double)strtoul(second, &end, 10);
  }
  double scale = is(end, "ms") || is(end, "") ? 1000.0 : is(end, "us") ? 1.0 : 0.0;
  if (scale == 0.0 || max < min || max * scale > arg->max) return 0;
  out[0] = min * scale;
  out[1] = max * scale;
  return 2;
}

/* Reads a word as an argument; how many numbers it gave, 0 when it is none. */
static size_t read_arg(const command_arg_t *arg, const char *word, double out[2]) {
  char *end = NULL;
  if (is(arg->name, "TIME")) return read_time(arg, word, out);
  double number = strtod(word, &end);
  if (end == word || !isfinite(number)) return 0;
  if (is(arg->name, "SHARE") && is(end, "%")) {
    number /= 100.0;
    end++;
  }
  if (*end || number < arg->min || number > arg->max || (arg->whole && number != floor(number)))
    return 0;
  out[0] = number;
  return 1;
}

static const command_arg_t *find_arg(const char *name, size_t len) {
  for (size_t i = 0; command_arg(i); i++)
    if (strlen(command_arg(i)->name) == len && strncmp(command_arg(i)->name, name, len) == 0)
      return command_arg(i);
  return NULL;
}

/* The next word of a pattern; NULL at its end. */
static const char *next_token(const char **pattern, size_t *len) {
  *pattern += strspn(*pattern, " ");
  const char *token = *pattern;
  *len = strcspn(token, " ");
  *pattern += *len;
  return *len > 0 ? token : NULL;
}

/* How many words fit a pattern from the left; stopped at the pattern's token there, NULL when the
   pattern is at its end. */
static size_t match(const command_row_t *row, const words_t *words, command_t *command,
                    const char **stopped) {
  const char *pattern = row->pattern, *token = NULL;
  size_t len = 0, matched = 0, args = 0;
  *command = (command_t){.kind = row->kind, .on = row->on};
  while ((token = next_token(&pattern, &len)) && matched < words->count) {
    const char *word = words->word[matched];
    if (isupper((unsigned char)token[0])) {
      double numbers[2];
      size_t count = read_arg(find_arg(token, len), word, numbers);
      if (count == 0) break;
      memcpy(command->args + args, numbers, count * sizeof numbers[0]);
      args += count;
    } else if (strlen(word) != len || strncmp(word, token, len) != 0) {
      break;
    }
    matched++;
  }
  *stopped = token;
  return matched;
}

static void add(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *why, const char *format, ...) {
  size_t len = strlen(why);
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(why + len, COMMAND_WHY_MAX - len, format, arguments);
  va_end(arguments);
}

/* A word as it may stand in JSON and on a terminal. */
static void add_word(char *why, const char *word) {
  char shown[WORD_SHOWN + 1];
  size_t len = 0;
  for (; word[len] && len < WORD_SHOWN; len++) {
    bool plain = isprint((unsigned char)word[len]) && !strchr("\"\\'", word[len]);
    shown[len] = plain ? word[len] : '?';
  }
  shown[len] = '\0';
  add(why, "'%s'", shown);
}

static void add_token(char *why, const char *token, size_t len) {
  const command_arg_t *arg = isupper((unsigned char)token[0]) ? find_arg(token, len) : NULL;
  add(why, "%.*s", (int)len, token);
  if (arg) add(why, " (%s)", arg->doc);
}

/* What may stand behind the first `best` words, each once. */
static size_t list_possible(char *why, const words_t *words, size_t best) {
  const char *seen[64];
  size_t count = 0, len = 0;
  for (size_t i = 0; command_row(i) && count < sizeof seen / sizeof seen[0]; i++) {
    command_t command;
    const char *token = NULL, *rest = NULL;
    if (match(command_row(i), words, &command, &token) != best || !token) continue;
    rest = token;
    token = next_token(&rest, &len);
    size_t k = 0;
    while (k < count && (strncmp(seen[k], token, len) != 0 || strcspn(seen[k], " ") != len))
      k++;
    if (k < count) continue;
    seen[count++] = token;
    if (count > 1) add(why, ", ");
    add_token(why, token, len);
  }
  return count;
}

static void explain(const words_t *words, size_t best, char *why) {
  why[0] = '\0';
  if (best < words->count) {
    add_word(why, words->word[best]);
    add(why, " is not understood here; possible: ");
  } else {
    add(why, "something is missing%s; possible: ", best > 0 ? " at the end" : "");
  }
  if (list_possible(why, words, best) > 0) return;
  why[0] = '\0';
  add_word(why, words->word[best]);
  add(why, " is one word too many");
}

bool command_parse(const char *line, command_t *command, char why[COMMAND_WHY_MAX]) {
  words_t words;
  const char *stopped = NULL;
  size_t best = 0;
  why[0] = '\0';
  if (!split(line, &words)) {
    add(why, "a command has at most %d words and %d letters", WORDS_MAX, LINE_MAX_LEN - 1);
    return false;
  }
  for (size_t i = 0; command_row(i); i++) {
    size_t matched = match(command_row(i), &words, command, &stopped);
    if (matched == words.count && words.count > 0 && !stopped) return true;
    if (matched > best) best = matched;
  }
  explain(&words, best, why);
  return false;
}
