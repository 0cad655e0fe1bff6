/* The travel motor in the alternate map: one drive for both motors, speeds from 0 to 10000. */
#include <math.h>

#include "plant_internal.h"

#define FULL_SPEED  10000.0
#define DRIVE_C     31.0
#define WARM_C_MPS  8.0 /* warmer by its speed */
#define FAULT_ESTOP 9

enum {
  STATUS_DISABLED,
  STATUS_ENABLED,
  STATUS_MOVING,
  STATUS_STOPPING,
  STATUS_STOPPED,
  STATUS_FAULT,
  STATUS_ESTOP
};

void plant_alt_command(const bank_t *bank, double target_mps[PLANT_MOTORS]) {
  double speed = bank_get(bank, 0x0002) / FULL_SPEED * WORLD_SPEED_MAX_MPS;
  uint16_t direction = bank_get(bank, 0x0006);
  bool on = bank_get(bank, 0x0000) && direction != 0;
  for (int i = 0; i < PLANT_MOTORS; i++)
    target_mps[i] = on ? (direction == 2 ? -speed : speed) : 0.0;
}

static uint16_t operation(bool enabled, bool moving, bool wanted, uint16_t fault) {
  if (fault == FAULT_ESTOP) return STATUS_ESTOP;
  if (fault) return STATUS_FAULT;
  if (!enabled) return moving ? STATUS_STOPPING : STATUS_DISABLED;
  if (wanted) return STATUS_MOVING;
  return moving ? STATUS_STOPPING : STATUS_STOPPED;
}

void plant_alt_refresh(plant_t *plant, bank_t *bank) {
  double speed = plant->replay.on ? plant->replay.speed_mps : plant->world.speed_mps;
  uint16_t actual = plant_word(fmin(FULL_SPEED, fabs(speed) / WORLD_SPEED_MAX_MPS * FULL_SPEED));
  uint16_t enabled = bank_get(bank, 0x0000);
  uint16_t wanted = enabled && bank_get(bank, 0x0006) ? bank_get(bank, 0x0002) : 0;
  uint16_t fault = plant->estop_input ? FAULT_ESTOP : plant->motor_fault[0];
  if (!fault) fault = plant->motor_fault[1];
  bool at_target = wanted == actual;
  bank_set(bank, 0x0003, actual);
  bank_set(bank, 0x0005, (uint16_t)((uint64_t)(plant->world.travelled_m * 1000.0) & 0xFFFF));
  bank_set(bank, 0x000B, plant_word((DRIVE_C + WARM_C_MPS * fabs(speed)) * 10.0));
  bank_set(bank, 0x000C, plant_word(battery_pack_v(&plant->battery) * 10.0));
  bank_set(bank, 0x000D, plant_word(fmax(0.0, -plant->battery.current_a) * 10.0));
  bank_set(bank, 0x000E, fault);
  bank_set(bank, 0x000F, operation(enabled, actual > 0, wanted > 0, fault));
  bank_set(bank, 0x0010, actual > 0);
  bank_set(bank, 0x0011, fault == 0);
  bank_set(bank, 0x0014, plant->estop_input);
  bank_set(bank, 0x0025, at_target);
  bank_set(bank, 0x0026, at_target && wanted == 0);
  bank_set(bank, 0x0027, fault);
}

/* 0021 stop, 0023 clear faults, 0024 hard stop; home is refused before it comes here. */
void plant_alt_written(plant_t *plant, bank_t *bank, uint16_t address, uint16_t value) {
  if (value == 0) return;
  if (address == 0x0021 || address == 0x0024) bank_set(bank, 0x0002, 0);
  if (address == 0x0024) bank_set(bank, 0x0000, 0);
  for (int i = 0; i < PLANT_MOTORS && address == 0x0023; i++)
    plant->motor_fault[i] = 0;
}
