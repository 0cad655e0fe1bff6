/* The half-duplex line's clock: every byte of request and answer has a time on it. What overlaps
   is garbled and counted. All times are nanoseconds of one monotonic clock, given by the caller.
   Pure.

   A request's bytes take their byte times from the moment the master wrote them, or from the end
   of the silence that must follow the previous frame, whichever is later. A module notices the
   end of a request by one frame gap of silence, then takes its turnaround time; its answer takes
   its byte times again. The first byte of an answer is released when it has arrived, the others
   in pieces of about 2 ms, the last when the frame has ended. */
#ifndef GANTRY_SIM_LINE_H
#define GANTRY_SIM_LINE_H

#include "rtu.h"

#define LINE_FRAMES 64 /* requests waiting, answers planned or on the line */

typedef struct line_cfg {
  uint32_t baud;
  bool paced; /* false: bytes take no time, neither do gap and turnaround */
} line_cfg_t;

typedef struct line_frame {
  uint8_t bytes[RTU_FRAME_MAX];
  size_t len;
  size_t sent;                          /* answers: bytes released so far */
  int64_t start_ns;                     /* begin of the first byte's start bit */
  int64_t end_ns;                       /* end of the last byte's stop bit */
  int64_t garble_from_ns, garble_to_ns; /* bytes within are damaged; empty when from >= to */
  bool answer;
  bool late; /* delayed by a fault */
  bool held; /* requests: handed over in one piece with the one before: its own moment is unknown */
  bool noise; /* bytes that nobody asked for */
  bool sound; /* requests: the CRC holds and nothing overlapped */
  bool collided;
} line_frame_t;

typedef struct line_stats {
  uint64_t requests, answers;
  uint64_t crc_errors;      /* requests refused for their CRC or length */
  uint64_t collisions;      /* pairs of frames that overlapped */
  uint64_t collisions_late; /* further ones with noise or a delayed answer */
  uint64_t collisions_held; /* further ones with a request that the system had held back */
  uint64_t collision_bytes; /* bytes that overlapped in `collisions` */
  uint64_t dropped;         /* frames beyond LINE_FRAMES */
  int64_t occupied_ns;      /* frames, the silence after each, turnaround */
} line_stats_t;

/* Told of each frame when it has left the line. */
typedef void (*line_observer_t)(void *context, const line_frame_t *frame);

typedef struct line {
  line_cfg_t cfg;
  int64_t byte_ns, gap_ns, turnaround_ns;
  line_frame_t incoming; /* len 0: none */
  line_frame_t requests[LINE_FRAMES];
  size_t request_count;
  line_frame_t answers[LINE_FRAMES];
  size_t answer_count;
  int64_t quiet_from_ns; /* end of the last frame that has left the line */
  line_stats_t stats;
  line_observer_t observer;
  void *context;
} line_t;

/* observer may be NULL. */
void line_init(line_t *line, const line_cfg_t *cfg, line_observer_t observer, void *context);
/* The master's bytes, read at now_ns. */
void line_receive(line_t *line, int64_t now_ns, const uint8_t *bytes, size_t len);
/* When line_take or line_release will next have something; INT64_MAX for nothing planned. */
int64_t line_next_ns(const line_t *line);
/* The next request whose silence has passed by now_ns, with the moment it is executed. Unsound
   ones are counted and skipped. False when there is none. */
bool line_take(line_t *line, int64_t now_ns, line_frame_t *request, int64_t *execute_ns);
/* Plans an answer to a request executed at execute_ns. */
void line_answer(line_t *line, int64_t execute_ns, const rtu_answer_t *answer);
/* Plans bytes that nobody asked for, from start_ns on; len <= RTU_FRAME_MAX. They are heard like
   an answer, collide like one, and count neither as request nor as answer. */
void line_babble(line_t *line, int64_t start_ns, const uint8_t *bytes, size_t len);
/* Copies bytes due by now_ns, of the frame that was due first, at most size; returns how many.
   Call until it returns 0. */
size_t line_release(line_t *line, int64_t now_ns, uint8_t *out, size_t size);
/* Forgets everything under way, as when the cable is pulled. */
void line_cut(line_t *line);

#endif
