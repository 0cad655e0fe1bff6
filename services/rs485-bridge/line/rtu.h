/* Modbus RTU frames without their CRC: builds requests, and says whether a frame is the answer to a
   request. The line carries no transaction number, so unit, function and byte count must all agree.
   Pure. */
#ifndef BRIDGE_RTU_H
#define BRIDGE_RTU_H

#include "jobs.h"

#define RTU_REQUEST_MAX (7 + 2 * JOB_WRITE_MAX)

enum {
  RTU_EXCEPTION_ACKNOWLEDGE = 5, /* accepted, and takes its time */
  RTU_EXCEPTION_BUSY = 6
};

typedef enum rtu_outcome {
  RTU_OK,
  RTU_TIMEOUT,   /* no first byte in time */
  RTU_DAMAGED,   /* bytes came, but no sound frame */
  RTU_EXCEPTION, /* the module refused */
  RTU_FOREIGN,   /* a sound frame that answers something else */
  RTU_ABANDONED, /* given up for a more urgent job */
  RTU_RESTING,   /* not sent: a late answer of the same length is still owed */
  RTU_NO_PORT    /* the device is gone */
} rtu_outcome_t;

/* All that an answer tells of its request. */
typedef struct rtu_mark {
  uint8_t unit;
  uint8_t function; /* an exception's has bit 7 */
  uint16_t first;   /* of writes */
  uint16_t count;   /* registers; of LINE_WRITE_ONE the value */
} rtu_mark_t;

/* Unit, function, data: what the CRC goes behind. Returns the length. */
size_t rtu_request(const job_t *job, uint8_t out[RTU_REQUEST_MAX]);
/* Judges a frame (without CRC): RTU_OK with the registers of a read in values (LINE_READ_MAX),
   RTU_EXCEPTION with its code, or RTU_FOREIGN. */
rtu_outcome_t rtu_match(const job_t *job, const uint8_t *frame, size_t len, uint16_t *values,
                        uint8_t *exception);
/* What the good answer of job tells, and what a frame of rtu_stream_take does. */
rtu_mark_t rtu_mark_of(const job_t *job);
rtu_mark_t rtu_mark_in(const uint8_t *frame);
/* "illegal data address" and so on; "unknown exception" for a code outside the standard. */
const char *rtu_exception_text(uint8_t code);
const char *rtu_outcome_text(rtu_outcome_t outcome);

#endif
