/* The newest response times, for their 95th percentile. Pure. */
#ifndef BRIDGE_RESPONSE_WINDOW_H
#define BRIDGE_RESPONSE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#define RESPONSES_MAX 128

typedef struct response_window {
  uint16_t newest[RESPONSES_MAX]; /* in 10 us; 0.65 s and more is the same */
  uint32_t count;                 /* ever added */
} response_window_t;

void response_window_add(response_window_t *window, double response_ms);
/* What 95 of 100 of the newest 128 did not exceed, ms; 0 while there are none. */
double response_window_p95_ms(const response_window_t *window);

#endif
