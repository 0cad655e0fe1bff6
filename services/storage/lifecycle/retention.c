/* The policy's arithmetic. */
#include "retention.h"

#define US_PER_DAY    86400e6
#define US_PER_MINUTE 60000000

int64_t retention_cutoff_us(double days, uint64_t now_us) {
  double age_us = days * US_PER_DAY;
  if (age_us >= (double)now_us) return 0;
  int64_t cutoff_us = (int64_t)now_us - (int64_t)age_us;
  /* Chunks hold full minutes: so cut, rows and chunks go at the same age. */
  return cutoff_us - cutoff_us % US_PER_MINUTE;
}

uint32_t bite_next(uint32_t rows, uint64_t took_us, uint32_t target_us) {
  uint64_t fitting = took_us ? (uint64_t)rows * target_us / took_us : BITE_ROWS_MAX;
  uint64_t most = 2ull * rows < BITE_ROWS_MAX ? 2ull * rows : BITE_ROWS_MAX;
  if (fitting > most) fitting = most;
  return fitting ? (uint32_t)fitting : 1;
}
