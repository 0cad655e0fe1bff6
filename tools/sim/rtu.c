/* Modbus RTU (Modbus over Serial Line 1.02, Application Protocol 1.1b3): functions 03, 04, 06
   and 10h. */
#include "rtu.h"

#include <string.h>

#include "noise.h"

#define READ_MAX  125
#define WRITE_MAX 123

uint16_t rtu_crc(const uint8_t *bytes, size_t len) {
  uint16_t crc = 0xFFFF;
  for (size_t i = 0; i < len; i++) {
    crc = (uint16_t)(crc ^ bytes[i]);
    for (int bit = 0; bit < 8; bit++)
      crc = crc & 1 ? (uint16_t)((crc >> 1) ^ 0xA001) : (uint16_t)(crc >> 1);
  }
  return crc;
}

size_t rtu_seal(uint8_t *bytes, size_t len) {
  uint16_t crc = rtu_crc(bytes, len);
  bytes[len] = (uint8_t)(crc & 0xFF);
  bytes[len + 1] = (uint8_t)(crc >> 8);
  return len + 2;
}

bool rtu_is_sound(const uint8_t *bytes, size_t len) {
  if (len < 4) return false;
  uint16_t crc = rtu_crc(bytes, len - 2);
  return bytes[len - 2] == (crc & 0xFF) && bytes[len - 1] == crc >> 8;
}

size_t rtu_request_len(const uint8_t *bytes, size_t len) {
  if (len < 2) return 0;
  uint8_t function = bytes[1];
  if (function >= 1 && function <= 6) return 8;
  if (function == 0x10 || function == 0x0F) {
    if (len < 7) return 0;
    return bytes[6] <= RTU_FRAME_MAX - 9 ? 9 + (size_t)bytes[6] : RTU_UNKNOWN_LEN;
  }
  return RTU_UNKNOWN_LEN;
}

static uint16_t word_at(const uint8_t *bytes) {
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void put_word(uint8_t *bytes, uint16_t value) {
  bytes[0] = (uint8_t)(value >> 8);
  bytes[1] = (uint8_t)(value & 0xFF);
}

static modbus_exception_t serve_read(plant_t *plant, module_t *module, const uint8_t *pdu,
                                     size_t len, uint8_t *out, size_t *out_len) {
  if (len != 5) return MODBUS_BAD_VALUE;
  uint16_t address = word_at(pdu + 1), count = word_at(pdu + 3);
  uint16_t values[READ_MAX];
  if (count < 1 || count > READ_MAX) return MODBUS_BAD_VALUE;
  modbus_exception_t exception = plant_read(plant, module, address, count, values);
  if (exception != MODBUS_FINE) return exception;
  out[0] = (uint8_t)(count * 2);
  for (size_t i = 0; i < count; i++)
    put_word(out + 1 + 2 * i, values[i]);
  *out_len = 1 + 2 * (size_t)count;
  return MODBUS_FINE;
}

static modbus_exception_t serve_write(plant_t *plant, module_t *module, const uint8_t *pdu,
                                      size_t len, uint8_t *out, size_t *out_len) {
  uint16_t values[WRITE_MAX];
  uint16_t address = word_at(pdu + 1), count = 1;
  if (pdu[0] == 0x06) {
    if (len != 5) return MODBUS_BAD_VALUE;
    values[0] = word_at(pdu + 3);
  } else {
    if (len < 6) return MODBUS_BAD_VALUE;
    count = word_at(pdu + 3);
    if (count < 1 || count > WRITE_MAX || pdu[5] != 2 * count || len != 6 + 2 * (size_t)count)
      return MODBUS_BAD_VALUE;
    for (size_t i = 0; i < count; i++)
      values[i] = word_at(pdu + 6 + 2 * i);
  }
  modbus_exception_t exception = plant_write(plant, module, address, count, values);
  if (exception == MODBUS_FINE) {
    memcpy(out, pdu + 1, 4);
    *out_len = 4;
  }
  return exception;
}

/* Executes a PDU; out receives what follows the function code. */
static modbus_exception_t serve_pdu(plant_t *plant, module_t *module, const uint8_t *pdu,
                                    size_t len, uint8_t *out, size_t *out_len) {
  if (pdu[0] == 0x03 || pdu[0] == 0x04) return serve_read(plant, module, pdu, len, out, out_len);
  if (pdu[0] == 0x06 || pdu[0] == 0x10) return serve_write(plant, module, pdu, len, out, out_len);
  return MODBUS_BAD_FUNCTION;
}

static void apply_faults(const plant_t *plant, module_t *module, rtu_answer_t *answer) {
  const module_fault_t *fault = &module->fault;
  uint64_t seed = plant->cfg.world.seed ^ module->unit;
  uint64_t index = module->answers++;
  for (size_t i = 0; fault->garbage && i < answer->len; i++)
    answer->bytes[i] = (uint8_t)noise_bits(seed, NOISE_GARBAGE, index * RTU_FRAME_MAX + i);
  if (fault->crc_share > 0.0 && noise_uniform(seed, NOISE_FAULT, 3 * index) < fault->crc_share)
    answer->bytes[answer->len - 1] ^= 0x55;
  double span = (double)(fault->late_max_us - fault->late_min_us);
  if (fault->late_share > 0.0 && noise_uniform(seed, NOISE_LATE, index) < fault->late_share)
    answer->late_us =
        fault->late_min_us + (uint32_t)(span * noise_uniform(seed, NOISE_FAULT, 3 * index + 1));
  if (fault->lost_share > 0.0 &&
      noise_uniform(seed, NOISE_FAULT, 3 * index + 2) < fault->lost_share)
    answer->len = 0;
}

static void serve_broadcast(plant_t *plant, const uint8_t *pdu, size_t len) {
  uint8_t out[RTU_FRAME_MAX];
  size_t out_len = 0;
  if (pdu[0] != 0x06 && pdu[0] != 0x10) return;
  for (size_t i = 0; i < PLANT_MODULES; i++)
    if (plant->modules[i].present && !plant->modules[i].fault.silent)
      (void)serve_write(plant, &plant->modules[i], pdu, len, out, &out_len);
}

void rtu_serve(plant_t *plant, const uint8_t *request, size_t len, rtu_answer_t *answer) {
  answer->len = 0;
  answer->late_us = 0;
  if (request[0] == 0) serve_broadcast(plant, request + 1, len - 3);
  module_t *module = plant_module(plant, request[0]);
  if (!module || !module->present || module->fault.silent) return;
  size_t out_len = 0;
  modbus_exception_t exception = module->fault.exception;
  if (exception == MODBUS_FINE)
    exception = serve_pdu(plant, module, request + 1, len - 3, answer->bytes + 2, &out_len);
  answer->bytes[0] = module->fault.has_alias ? module->fault.alias : request[0];
  answer->bytes[1] = request[1];
  if (exception != MODBUS_FINE) {
    answer->bytes[1] = request[1] | 0x80;
    answer->bytes[2] = (uint8_t)exception;
    out_len = 1;
  }
  answer->len = rtu_seal(answer->bytes, 2 + out_len);
  apply_faults(plant, module, answer);
}
