/* Carmen: reads CARMEN 2-D logs, line by line (pure) or from a plain or gzip file (zlib). Lines:
     # beam i angle_deg = FIRST + STEP*i ; range >= LIMIT means no return ; laser_x_offset_m X
     ODOM x y theta tv rv accel time host logger_time
     FLASER n r[0] .. r[n-1] x y theta odom_x odom_y odom_theta time host logger_time
   Metres, radians, seconds. */
#ifndef GANTRY_SLAM_CARMEN_H
#define GANTRY_SLAM_CARMEN_H

#include <stdint.h>

#include <gantry/err.h>
#include <gantry/geom.h>

#define CARMEN_RANGES_MAX 2048
#define CARMEN_REACH      1e7 /* m, rad: poses beyond it are none */

typedef enum carmen_kind {
  CARMEN_OTHER, /* comment, parameter, a message this reader has no use for, empty line */
  CARMEN_BEAM,  /* the beam header */
  CARMEN_ODOM,  /* */
  CARMEN_FLASER /* */
} carmen_kind_t;

/* How the beams of a scan stand. */
typedef struct carmen_beam {
  double first_rad;   /* angle of beam 0 in the laser's frame */
  double step_rad;    /* */
  double no_return_m; /* ranges at or beyond it are no return */
  double laser_x_m;   /* the laser ahead of the robot's centre */
} carmen_beam_t;

typedef struct carmen_record {
  carmen_kind_t kind;               /* says which of the others are filled */
  carmen_beam_t beam;               /* BEAM */
  double time_s;                    /* ODOM, FLASER: the time column */
  pose2_t odometry;                 /* ODOM, FLASER (the odom_* columns): raw odometry */
  uint32_t range_count;             /* FLASER */
  float range_m[CARMEN_RANGES_MAX]; /* FLASER, as logged */
} carmen_record_t;

/* What a log without a beam header means: 180 degrees from -90, 1 degree apart up to 181 beams,
   0.5 degrees up to 361, else spread over 180 degrees; no return at 80 m; laser at the centre. */
carmen_beam_t carmen_beam_default(uint32_t range_count);

/* Parses one line without or with its newline. GANTRY_E_SCHEMA with a fault that names the column
   when an ODOM or FLASER line does not hold what it must, or ends with its time and no newline (it
   may be cut off there); unknown lines are CARMEN_OTHER. Ranges may be nan or inf: no return. */
gantry_err_t carmen_parse(const char *line, carmen_record_t *out, gantry_fault_t *fault);

typedef struct carmen carmen_t;

/* Opens a log for reading; gzip is recognised by its contents. NULL with a fault:
   GANTRY_E_NOT_FOUND when it cannot be opened, GANTRY_E_INTERNAL without memory. */
carmen_t *carmen_open(const char *path, gantry_fault_t *fault);
void carmen_close(carmen_t **self);
/* Reads on to the next BEAM, ODOM or FLASER record. GANTRY_E_NOT_FOUND at the end of the log,
   GANTRY_E_SCHEMA for a bad line or one longer than 64 KB, GANTRY_E_INVALID when the file is
   damaged. The fault's detail starts with "line N:". Blocks on the disk. */
gantry_err_t carmen_next(carmen_t *carmen, carmen_record_t *out, gantry_fault_t *fault);

#endif
