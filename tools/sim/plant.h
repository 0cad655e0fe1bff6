/* The plant: the world and the modules that look into it and act on it. Time is a count of
   world steps; the same seed and the same writes at the same steps give the same state. Pure. */
#ifndef GANTRY_SIM_PLANT_H
#define GANTRY_SIM_PLANT_H

#include "axis.h"
#include "bank.h"
#include "battery.h"
#include "dock.h"
#include "module_table.h"
#include "register_fault.h"
#include "world.h"

#define PLANT_MODULES       7
#define PLANT_MOTORS        2
#define PLANT_UNITS_DEFAULT 0x003C /* bit n: slave address n; power, safety, travel, dock */

/* What a module does wrong; all zero is healthy. */
typedef struct module_fault {
  bool silent;
  bool garbage;      /* answers are random bytes of the right length */
  bool zeros;        /* values read as 0 */
  uint8_t exception; /* answers this exception; 0 none */
  bool has_alias;    /* answers name the address alias instead of the own one */
  uint8_t alias;
  double lost_share;                 /* share of answers that never come, 0 to 1 */
  double crc_share;                  /* share of answers with a damaged CRC, 0 to 1 */
  uint32_t late_min_us, late_max_us; /* extra delay, uniform between the two */
  double late_share;                 /* share of answers that have it, 0 to 1 */
} module_fault_t;

typedef struct module {
  uint8_t unit;
  bool present; /* on the line and powered */
  bank_t bank;
  module_fault_t fault;
  uint64_t answers; /* index of the fault's noise */
  uint64_t since;   /* world step of its power-on */
} module_t;

typedef enum imu_mode { IMU_RUNS, IMU_FROZEN, IMU_FAILED } imu_mode_t;

typedef struct plant_cfg {
  world_cfg_t world;
  double soc; /* 0 to 1 at the start */
  module_cfg_t modules;
  uint32_t units; /* bit n: the module at slave address n is there; 0: PLANT_UNITS_DEFAULT */
} plant_cfg_t;

/* Where the robot of a recorded log is; replaces the world while `on`. */
typedef struct plant_replay {
  bool on;
  pose2_t odometry; /* first pose subtracted; theta unwrapped */
  double speed_mps;
} plant_replay_t;

typedef struct plant {
  plant_cfg_t cfg;
  world_t world;
  battery_t battery;
  dock_t dock;
  double dock_askew_rad; /* how the dock stands to the rail */
  axis_t axes[2];        /* lifter, cargo door */
  module_t modules[PLANT_MODULES];
  bool estop_input; /* the E-stop chain is open */
  uint16_t inputs;  /* digital inputs 2 to 4 of the safety module, as bits 1 to 3 */
  uint16_t motor_fault[PLANT_MOTORS];
  imu_mode_t imu;
  bool charger_fault;
  bool unique; /* registers read as plant_unique says */
  register_faults_t faults;
  uint32_t tag_id; /* last tag read */
  double tag_rssi;
  bool tag_present;
  uint64_t tag_step; /* step of its last read */
  bool tag_ever;
  plant_replay_t replay;
} plant_t;

void plant_init(plant_t *plant, const plant_cfg_t *cfg);
/* Modules start anew, as after a power cut: registers, odometry and clock at power-on values.
   The robot stands where it was. */
void plant_power_on(plant_t *plant);
/* Power of one module; off and on again it starts anew. */
void plant_module_power(plant_t *plant, module_t *module, bool on);
/* Advances to world step `step`; earlier steps are ignored. */
void plant_advance(plant_t *plant, uint64_t step);
/* The E-stop chain: opening it cuts the motors within one world step. */
void plant_estop(plant_t *plant, bool open);
/* A motor trips: it loses its enable register and refuses it until the fault is 0 again, by this
   or by the module's reset of errors. motor is 0 or 1. */
void plant_motor_fault(plant_t *plant, int motor, uint16_t code);
/* Whether the battery charges now: docked, relay, request and switch on, charger well. */
bool plant_is_charging(plant_t *plant);
/* What the charger gives now, A: its set-point, less and less above 95 % of charge. */
double plant_charge_a(plant_t *plant);
/* The lifter's or the cargo door's axis; NULL for other units. */
axis_t *plant_axis(plant_t *plant, uint8_t unit);
/* The module of a slave address, NULL when there is none; it may be absent. */
module_t *plant_module(plant_t *plant, uint8_t unit);

/* What the register at an address reads as while `unique` is on. No two registers of the units
   below 16 share a value. */
uint16_t plant_unique(uint8_t unit, uint16_t address);
/* Brings all registers that follow from the world up to date, without the odometry latch. */
void plant_refresh(plant_t *plant, module_t *module);
/* Latches the odometry block (all eight registers) of the travel module. */
void plant_latch_odometry(plant_t *plant, module_t *module);
/* The master's access to a module: as bank_read and bank_write, with refresh, latch and the
   actions that writes have. */
modbus_exception_t plant_read(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                              uint16_t *out);
modbus_exception_t plant_write(plant_t *plant, module_t *module, uint16_t address, uint16_t count,
                               const uint16_t *values);

#endif
