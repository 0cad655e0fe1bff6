/* UTF-8 after the table of well-formed byte sequences of RFC 3629, section 4. */
#include "utf8.h"

#include <string.h>

static bool is_tail(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

size_t utf8_char_len(const uint8_t *bytes, size_t len) {
  if (len == 0) return 0;
  uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  size_t need = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || len < need) return 0;
  for (size_t i = 1; i < need; i++) {
    if (!is_tail(bytes[i])) return 0;
  }
  uint8_t second = bytes[1];
  bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
               (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return wrong ? 0 : need;
}

bool utf8_is_valid(const uint8_t *bytes, size_t len) {
  size_t i = 0;
  while (i < len) {
    uint64_t eight;
    if (len - i >= sizeof eight) { /* the common case: eight ASCII bytes at once */
      memcpy(&eight, bytes + i, sizeof eight);
      if ((eight & 0x8080808080808080u) == 0) {
        i += sizeof eight;
        continue;
      }
    }
    size_t step = utf8_char_len(bytes + i, len - i);
    if (step == 0) return false;
    i += step;
  }
  return true;
}

size_t utf8_cut(const char *text, size_t limit) {
  while (limit > 0 && is_tail((uint8_t)text[limit]))
    limit--;
  return limit;
}

void utf8_mend(char *text) {
  size_t left = strlen(text);
  while (left > 0) {
    size_t step = utf8_char_len((const uint8_t *)text, left);
    if (step == 0) {
      *text = '?';
      step = 1;
    }
    text += step;
    left -= step;
  }
}
