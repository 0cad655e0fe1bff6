/* Register tables of the modules, as data: address, count, mode, bounds, power-on
   value. Values that follow from the world are refreshed before each read. */
#include "module_table.h"

#define R   BANK_R
#define W   BANK_W
#define RW  BANK_RW
#define ANY 0, 65535

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const bank_row_t system_rows[] = {
    {0x00FA, 1, R, ANY, 0x0102}, /* hardware version */
    {0x00FB, 1, R, ANY, 0x1000}, /* serial number low */
    {0x00FC, 1, R, ANY, 0x2026}, /* serial number high */
    {0x00FD, 1, R, ANY, 0x0115}, /* build date low: month and day, BCD */
    {0x00FE, 1, R, ANY, 0x2026}, /* build date high: year, BCD */
    {0x00FF, 1, R, ANY, 0},      /* register checksum */
    {0x0100, 1, R, 1, 247, 0},   /* device id */
    {0x0101, 1, RW, 1, 5, 5},    /* baud code */
    {0x0102, 1, RW, 0, 2, 0},    /* parity code */
    {0x0103, 1, RW, 1, 2, 1},    /* stop bits */
    {0x0104, 1, R, ANY, 0},      /* module type */
    {0x0105, 1, R, ANY, 0x0101}, /* firmware version */
    {0x0106, 1, R, ANY, 0x0102}, /* hardware version */
    {0x0107, 1, R, ANY, 0x0001}, /* system status: b0 ready */
    {0x0108, 1, R, ANY, 0},      /* system error */
    {0x0109, 1, W, 1, 1, 0},     /* reset error */
};

/* Older firmware has its system block here instead. */
static const bank_row_t old_system_rows[] = {
    {0x00F0, 1, R, 1, 247, 0},   /* device id */
    {0x00F1, 1, R, ANY, 0x0100}, /* firmware version */
    {0x00F2, 1, R, ANY, 0x0001}, /* system status */
    {0x00F3, 1, R, ANY, 0},      /* system error */
    {0x00F4, 1, W, 1, 1, 0},     /* reset error */
    {0x00F5, 1, RW, 1, 5, 5},    /* baud code */
    {0x00F6, 1, RW, 0, 2, 0},    /* parity code */
    {0x00F7, 1, R, ANY, 0},      /* module type */
};

static const bank_row_t power_rows[] = {
    {0x0000, 3, R, ANY, 0},        /* pack voltage, current, state of charge */
    {0x0003, 2, R, ANY, 0},        /* max and min cell */
    {0x0005, 2, R, 0, 5, 0},       /* their indices */
    {0x0007, 1, R, 0, 5000, 0},    /* cell spread */
    {0x0008, 1, R, 0, 200, 25},    /* mean temperature */
    {0x0009, 1, R, 0, 1, 1},       /* BMS link up */
    {0x000A, 1, R, ANY, 0},        /* b0 charging, b1 discharging */
    {0x000B, 2, RW, 0, 1, 1},      /* charge and discharge MOSFET */
    {0x000D, 1, R, ANY, 0},        /* BMS life counter */
    {0x000E, 1, R, ANY, 0},        /* residual mAh */
    {0x000F, 1, R, ANY, 6},        /* cells */
    {0x0010, 1, R, ANY, 2},        /* temperature sensors */
    {0x0011, 2, R, ANY, 0},        /* charging, discharging */
    {0x0013, 1, R, ANY, 42},       /* cycles */
    {0x0014, 6, R, 2500, 4200, 0}, /* cell voltages */
    {0x001A, 2, R, 0, 100, 25},    /* temperature sensors */
    {0x001C, 7, R, 0, 1, 0},       /* balancing of the cells, and of any */
    {0x0023, 1, R, ANY, 0},        /* fault flags */
    {0x0024, 4, R, ANY, 4250},     /* over-voltage thresholds */
    {0x0028, 4, R, ANY, 2800},     /* under-voltage thresholds */
    {0x0030, 1, RW, 0, 600, 252},  /* charger voltage set-point */
    {0x0031, 1, RW, 0, 600, 50},   /* charger current set-point */
    {0x0032, 3, R, ANY, 0},        /* charger output V, I, P */
    {0x0035, 2, R, ANY, 0},        /* charger input V, I */
    {0x0037, 1, R, 0, 100, 25},    /* charger temperature */
    {0x0038, 3, R, ANY, 0},        /* hours, minutes, seconds used */
    {0x003B, 1, R, ANY, 0},        /* charger status: b0 output on */
    {0x003C, 2, RW, 0, 1, 0},      /* charger output, charge relay */
    {0x003E, 1, R, 0, 2, 0},       /* charge state */
    {0x003F, 1, RW, 0, 1, 0},      /* charge request */
    {0x0040, 9, R, ANY, 0},        /* three rails: V, I, P each */
    {0x0049, 3, RW, 0, 1, 1},      /* relays of the rails */
    {0x004C, 1, R, 0, 1, 0},       /* fault relay */
    {0x004D, 1, R, ANY, 1980},     /* minimum usable voltage, 10 mV */
};

static const bank_row_t safety_rows[] = {
    {0x0000, 1, R, ANY, 0},          /* status: b0 ready, b1 E-stop, b2 zone, b3 proximity */
    {0x0001, 1, R, 0, 1, 0},         /* emergency stop active */
    {0x0002, 1, R, 0, 4, 0},         /* active zone */
    {0x0003, 1, R, 0, 1, 0},         /* proximity alert */
    {0x0004, 1, RW, 0, 15, 0},       /* relay output bitmap */
    {0x0005, 1, R, ANY, 0},          /* safety error */
    {0x0006, 1, R, ANY, 310},        /* temperature, 0.1 degree */
    {0x0007, 1, R, ANY, 120},        /* supply, 0.1 V */
    {0x0010, 4, R, 0, 10000, 5000},  /* ranges: front, rear, left, right */
    {0x0014, 4, R, 0, 4095, 0},      /* raw ADC */
    {0x0020, 1, R, 0, 15, 0},        /* DI bitmap: b0 E-stop chain open */
    {0x0021, 4, R, 0, 1, 0},         /* DI 1-4 */
    {0x0030, 1, RW, 0, 15, 0},       /* relay control bitmap */
    {0x0031, 4, RW, 0, 1, 0},        /* relays 1-4 */
    {0x0040, 1, RW, 0, 10000, 1000}, /* zone thresholds */
    {0x0041, 1, RW, 0, 10000, 500},  {0x0042, 1, RW, 0, 10000, 200},
    {0x0043, 1, RW, 0, 10000, 100},  {0x0050, 1, RW, 0, 10000, 50}, /* proximity threshold */
    {0x0051, 1, RW, 1, 1000, 10},                                   /* response time */
    {0x0052, 1, RW, 0, 0, 0},                                       /* auto-reset must stay off */
    {0x0053, 1, RW, 0, 2, 0},                                       /* mode */
    {0x0060, 4, RW, 0, 15, 0},                                      /* analog types */
    {0x0070, 4, RW, 0, 15, 0},                                      /* digital types */
    {0x0080, 4, RW, 0, 15, 0},                                      /* relay functions */
};

#define MOTOR(base)                                                                                \
  {(base) + 0x00, 1, RW, 1, 3, 1},       /* mode */                                                \
      {(base) + 0x01, 1, RW, 0, 1, 0},   /* enable */                                              \
      {(base) + 0x02, 1, RW, 0, 255, 0}, /* speed set-point */                                     \
      {(base) + 0x03, 1, RW, 0, 100, 0}, /* linear input */                                        \
      {(base) + 0x04, 1, RW, 0, 20, 5},  /* linear step */                                         \
      {(base) + 0x05, 1, R, 0, 1, 0},    /* ramp state */                                          \
      {(base) + 0x06, 1, R, 0, 255, 0},  /* actual speed */                                        \
      {(base) + 0x07, 1, RW, 0, 2, 0},   /* direction */                                           \
      {(base) + 0x08, 1, RW, 0, 10000, 100}, {(base) + 0x09, 1, RW, 0, 10000, 10},                 \
      {(base) + 0x0A, 1, RW, 0, 10000, 10}, /* Kp, Ki, Kd */                                       \
      {(base) + 0x0B, 1, R, ANY, 0}, /* status: b0 enabled, b1 moving, b2 fault, b3 at speed */    \
  {                                                                                                \
    (base) + 0x0C, 1, R, 0, 15, 0 /* error code */                                                 \
  }

static const bank_row_t travel_rows[] = {
    MOTOR(0x0000),
    MOTOR(0x0010),
    {0x0020, 1, R, 0, 15, 0}, /* DI bitmap */
    {0x0021, 4, RW, 0, 5, 0}, /* DI functions */
    {0x0030, 1, R, 0, 3, 0},  /* DO bitmap */
    {0x0031, 1, RW, 0, 1, 0}, /* DO 1 control */
    {0x0032, 1, RW, 0, 4, 0}, /* DO 1 function */
    {0x0033, 1, RW, 0, 1, 0}, /* DO 2 control */
    {0x0034, 1, RW, 0, 4, 0}, /* DO 2 function */
};

static const bank_row_t dock_rows[] = {
    {0x0000, 17, R, ANY, 0},  /* acceleration, turn rate, field, temperature, quaternion, angles */
    {0x0020, 5, R, ANY, 0},   /* field, strength, heading */
    {0x0025, 1, RW, ANY, 0},  /* declination */
    {0x0026, 1, R, ANY, 0},   /* inclination */
    {0x0030, 3, RW, ANY, 0},  /* position, kept as written */
    {0x0033, 6, R, ANY, 0},   /* velocity, acceleration */
    {0x0039, 3, RW, ANY, 0},  /* angles, kept as written */
    {0x0040, 1, R, 0, 5, 0},  /* dock status */
    {0x0041, 1, RW, 0, 3, 0}, /* dock mode */
    {0x0042, 4, RW, ANY, 0},  /* target */
    {0x0046, 10, R, ANY, 0},  /* its errors, distance, aligned, speed, time-out, retries, done */
    {0x7000, 1, RW, ANY, 58000},   /* target dock position, mm */
    {0x7001, 1, R, ANY, 0},        /* current dock position, mm */
    {0x7002, 1, RW, 0, 2000, 200}, /* approach speed */
    {0x7003, 1, RW, 0, 200, 50},   /* final speed */
    {0x7004, 1, RW, 0, 10, 2},     /* accuracy */
    {0x7005, 1, R, ANY, 0},        /* status bits */
    {0x7006, 2, R, ANY, 0},        /* distance to dock, alignment angle */
    {0x7100, 2, R, ANY, 0},        /* tag id low, high */
    {0x7102, 1, R, 0, 100, 0},     /* RSSI */
    {0x7103, 1, R, 0, 1, 0},       /* tag present */
    {0x7104, 1, R, ANY, 65535},    /* ms since the last read */
    {0x7200, 3, R, ANY, 0},        /* acceleration */
    {0x7203, 1, R, ANY, 26},       /* its temperature */
    {0x7204, 1, R, 0, 1, 1},       /* accelerometer ok */
    {0x7300, 2, R, 0, 1, 0},       /* proximity detected */
    {0x7302, 2, R, ANY, 1000},     /* proximity distance */
    {0x7304, 1, R, 0, 1, 0},       /* docked confirmed */
    {0x8000, 6, W, 0, 1, 0},       /* enable, start, stop, E-stop, clear faults, calibrate */
    {0x8006, 1, W, ANY, 0},        /* set dock position */
    {0x8007, 1, W, 0, 2000, 0},    /* set approach distance */
    {0x9000, 3, R, ANY, 0},        /* fault status, code, count */
    {0x9003, 1, R, ANY, 27},       /* temperature */
    {0x9004, 1, R, ANY, 120},      /* supply, 0.1 V */
    {0x9005, 1, R, ANY, 85},       /* supply current, mA */
    {0x9006, 1, R, ANY, 0},        /* uptime, s */
    {0x9007, 3, R, ANY, 0},        /* docks done, failed, duration of the last */
    {0xA000, 1, RW, 0, 2000, 500}, /* approach distance */
    {0xA001, 1, RW, 0, 200, 50},   /* final speed */
    {0xA002, 1, RW, 0, 10, 2},     /* accuracy */
    {0xA003, 1, RW, 0, 120, 30},   /* time-out, s */
    {0xA004, 1, RW, 0, 10, 3},     /* retries */
    {0xA005, 1, RW, 0, 1000, 100}, /* debounce */
    {0xA006, 1, RW, 0, 200, 50},   /* align tolerance, 0.1 degree */
};

/* The profile "oht50-alt": one drive of two motors, speeds from 0 to 10000. */
static const bank_row_t travel_alt_rows[] = {
    {0x0000, 1, RW, 0, 1, 0},     /* enable */
    {0x0001, 1, RW, ANY, 1},      /* mode */
    {0x0002, 1, RW, 0, 10000, 0}, /* speed target */
    {0x0003, 1, R, 0, 10000, 0},  /* speed */
    {0x0004, 1, RW, ANY, 0},      /* position target */
    {0x0005, 1, R, ANY, 0},       /* position, no odometry */
    {0x0006, 1, RW, 0, 2, 0},     /* direction */
    {0x0007, 2, RW, ANY, 500},    /* acceleration, deceleration */
    {0x0009, 1, RW, ANY, 0},      /* jerk */
    {0x000A, 1, RW, ANY, 1000},   /* torque limit */
    {0x000B, 1, R, ANY, 0},       /* temperature, 0.1 degree */
    {0x000C, 2, R, ANY, 0},       /* 0.1 V, 0.1 A */
    {0x000E, 2, R, ANY, 0},       /* fault, operation status */
    {0x0010, 5, R, ANY, 0},       /* running, ready, fault ext, warning, E-stop */
    {0x0015, 2, R, ANY, 0},       /* home, limit switches */
    {0x0017, 8, R, ANY, 0},       /* sub-status */
    {0x001F, 1, R, ANY, 1},       /* operation mode */
    {0x0020, 5, W, 0, 1, 0},      /* move, stop, home, clear faults, hard stop */
    {0x0025, 3, R, ANY, 0},       /* at target, motion complete, fault code */
};

static const bank_row_t odometry_rows[] = {
    {0x0040, 8, R, ANY, 0}, /* latched when 0x0040 is read */
};

/* Lifter and cargo door. */
static const bank_row_t axis_rows[] = {
    {0x0000, 1, R, ANY, 0},      /* status bits, see axis.h */
    {0x0001, 1, RW, 0, 1, 0},    /* enable */
    {0x0002, 1, RW, 0, 1000, 0}, /* target, 0.1 % */
    {0x0003, 1, R, 0, 1000, 0},  /* position, 0.1 % */
    {0x0004, 1, RW, 1, 100, 20}, /* speed, % of the way a second */
    {0x0005, 1, R, 0, 15, 0},    /* fault code, as a motor's */
    {0x0006, 1, R, ANY, 0},      /* current, mA */
    {0x0007, 1, R, ANY, 0},      /* movements done */
};

static const bank_row_t environment_rows[] = {
    {0x0000, 1, R, ANY, 0}, /* temperature, 0.1 degree */
    {0x0001, 1, R, ANY, 0}, /* humidity, 0.1 % */
    {0x0002, 1, R, ANY, 0}, /* pressure, 0.1 hPa */
    {0x0003, 1, R, ANY, 0}, /* carbon dioxide, ppm */
    {0x0004, 1, R, ANY, 0}, /* light, lx */
};

static const struct {
  uint8_t unit;
  uint16_t type; /* code in the type register */
  char name[5];
  const bank_row_t *rows;
  size_t count;
} modules[] = {
    {MODULE_POWER, 2, "POWR", power_rows, COUNT(power_rows)},
    {MODULE_SAFETY, 3, "SAFE", safety_rows, COUNT(safety_rows)},
    {MODULE_TRAVEL, 4, "TRVL", travel_rows, COUNT(travel_rows)},
    {MODULE_DOCK, 5, "DOCK", dock_rows, COUNT(dock_rows)},
    {MODULE_LIFTER, 7, "LIFT", axis_rows, COUNT(axis_rows)},
    {MODULE_DOOR, 8, "CARG", axis_rows, COUNT(axis_rows)},
    {MODULE_ENVIRONMENT, 0, "ENVR", environment_rows, COUNT(environment_rows)},
};

/* Registers that only some modules have. */
static const struct {
  uint8_t unit;
  uint16_t first, last;
} optional[] = {
    {MODULE_POWER, 0x0005, 0x0006}, {MODULE_POWER, 0x000A, 0x000A}, {MODULE_POWER, 0x000D, 0x0013},
    {MODULE_POWER, 0x0024, 0x002B}, {MODULE_POWER, 0x0038, 0x003A}, {MODULE_DOCK, 0x0000, 0x004F},
};

static bool is_optional(uint8_t unit, uint16_t address) {
  for (size_t i = 0; i < COUNT(optional); i++)
    if (optional[i].unit == unit && address >= optional[i].first && address <= optional[i].last)
      return true;
  return false;
}

static bool add_system(bank_t *bank, size_t module, bool old) {
  const unsigned char *name = (const unsigned char *)modules[module].name;
  const bank_row_t name_rows[2] = {{0x00F8, 1, R, ANY, (uint16_t)(name[0] << 8 | name[1])},
                                   {0x00F9, 1, R, ANY, (uint16_t)(name[2] << 8 | name[3])}};
  bool added = old ? bank_add(bank, old_system_rows, COUNT(old_system_rows))
                   : bank_add(bank, name_rows, COUNT(name_rows)) &&
                         bank_add(bank, system_rows, COUNT(system_rows));
  bank_preset(bank, old ? 0x00F0 : 0x0100, modules[module].unit);
  bank_preset(bank, old ? 0x00F7 : 0x0104, modules[module].type);
  bank_preset(bank, 0x00FB, (uint16_t)(0x1000 + modules[module].unit));
  return added;
}

static bool add_own(bank_t *bank, size_t module, const module_cfg_t *cfg) {
  uint8_t unit = modules[module].unit;
  const bank_row_t *rows = modules[module].rows;
  size_t count = modules[module].count;
  if (unit == MODULE_TRAVEL && cfg->alt) {
    rows = travel_alt_rows;
    count = COUNT(travel_alt_rows);
  }
  for (size_t i = 0; i < count; i++) {
    if (cfg->without_optional && is_optional(unit, rows[i].address)) continue;
    if (!bank_add(bank, &rows[i], 1)) return false;
  }
  if (unit == MODULE_TRAVEL && !cfg->without_odometry) return bank_add(bank, odometry_rows, 1);
  if (unit == MODULE_POWER && cfg->alt) bank_preset(bank, 0x004D, 118);
  return true;
}

bool module_table_load(bank_t *bank, uint8_t unit, const module_cfg_t *cfg) {
  bank_init(bank);
  for (size_t i = 0; i < COUNT(modules); i++) {
    if (modules[i].unit != unit) continue;
    return add_system(bank, i, cfg->old_system) && add_own(bank, i, cfg);
  }
  return false;
}
