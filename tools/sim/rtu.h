/* Modbus RTU frames: CRC, the length of a request, and the modules' answers to one. Pure. */
#ifndef GANTRY_SIM_RTU_H
#define GANTRY_SIM_RTU_H

#include "plant.h"

#define RTU_FRAME_MAX   256
#define RTU_UNKNOWN_LEN SIZE_MAX

/* CRC-16, reflected polynomial 0xA001, initial value 0xFFFF; sent low byte first. */
uint16_t rtu_crc(const uint8_t *bytes, size_t len);
/* Writes the CRC of the first len bytes behind them; returns len + 2. */
size_t rtu_seal(uint8_t *bytes, size_t len);
/* Whether the last two bytes are the CRC of those before; false under 4 bytes. */
bool rtu_is_sound(const uint8_t *bytes, size_t len);
/* Length of the request that begins with these bytes, CRC included; 0 while too few bytes are
   here to know; RTU_UNKNOWN_LEN when only silence can end it. */
size_t rtu_request_len(const uint8_t *bytes, size_t len);

typedef struct rtu_answer {
  uint8_t bytes[RTU_FRAME_MAX];
  size_t len;       /* 0: nobody answers */
  uint32_t late_us; /* delay by a fault, beyond the turnaround */
} rtu_answer_t;

/* Lets the addressed module execute a sound request, faults included. A broadcast (unit 0) is
   executed by every module that has the registers, and not answered. */
void rtu_serve(plant_t *plant, const uint8_t *request, size_t len, rtu_answer_t *answer);

#endif
