/* The parameters of a statement as PostgreSQL writes them: $1 for ?1, and $n for the n-th bare ?.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_pg_internal.h"

/* A parameter at text: writes its number, returns its length there. A bare ? gets the number after
   the highest so far, as in SQLite. */
static size_t number_of(const char *text, unsigned *highest, unsigned *number) {
  size_t len = 1;
  *number = 0;
  while (isdigit((unsigned char)text[len]))
    *number = *number * 10 + (unsigned)(text[len++] - '0');
  if (len == 1) *number = *highest + 1;
  if (*number > *highest) *highest = *number;
  return len;
}

char *pg_text(const char *text, int *parameters) {
  /* The worst is a ? that becomes $NN. */
  size_t size = 3 * strlen(text) + 1, used = 0;
  char *out = malloc(size);
  char quote = '\0';
  unsigned highest = 0, number;
  if (!out) return NULL;
  while (*text) {
    if (quote == '\0' && *text == '?') {
      text += number_of(text, &highest, &number);
      used += (size_t)snprintf(out + used, size - used, "$%u", number);
      continue;
    }
    if (quote == *text)
      quote = '\0';
    else if (quote == '\0' && (*text == '\'' || *text == '"'))
      quote = *text;
    out[used++] = *text++;
  }
  out[used] = '\0';
  *parameters = (int)highest;
  return out;
}
