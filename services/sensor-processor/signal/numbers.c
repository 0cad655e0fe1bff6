/* One bit a number, in a ring. */
#include "numbers.h"

#include <string.h>

static uint64_t *word_of(numbers_t *numbers, uint64_t number) {
  return &numbers->seen[number % NUMBERS_WINDOW / 64];
}

static bool is_seen(const numbers_t *numbers, uint64_t number) {
  return numbers->seen[number % NUMBERS_WINDOW / 64] >> number % 64 & 1;
}

numbers_verdict_t numbers_judge(const numbers_t *numbers, uint64_t number, uint64_t time_ns) {
  if (numbers->greatest == 0 || number == numbers->greatest + 1) return NUMBERS_NEXT;
  if (number > numbers->greatest) return NUMBERS_SKIPPED;
  if (number < numbers->greatest && time_ns > numbers->newest_ns) return NUMBERS_ANEW;
  if (numbers->greatest - number >= NUMBERS_WINDOW) return NUMBERS_REPEATED;
  return is_seen(numbers, number) ? NUMBERS_REPEATED : NUMBERS_BEHIND;
}

/* Forgets the numbers that fall out of the window as it moves up to number. */
static void move_up(numbers_t *numbers, uint64_t number) {
  uint64_t steps = number - numbers->greatest;
  if (steps >= NUMBERS_WINDOW)
    memset(numbers->seen, 0, sizeof numbers->seen);
  else
    for (uint64_t i = numbers->greatest + 1; i <= number; i++)
      *word_of(numbers, i) &= ~(UINT64_C(1) << i % 64);
  numbers->greatest = number;
}

void numbers_note(numbers_t *numbers, numbers_verdict_t verdict, uint64_t number, uint64_t time_ns,
                  bool taken) {
  bool is_anew = verdict == NUMBERS_ANEW;
  if (verdict == NUMBERS_REPEATED || (is_anew && !taken)) return;
  if (is_anew) *numbers = (numbers_t){0};
  if (number > numbers->greatest) move_up(numbers, number);
  if (!taken) return;
  *word_of(numbers, number) |= UINT64_C(1) << number % 64;
  if (time_ns > numbers->newest_ns) numbers->newest_ns = time_ns;
}
