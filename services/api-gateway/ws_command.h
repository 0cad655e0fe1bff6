/* What a client says, read and judged. Pure. */
#ifndef GATEWAY_WS_COMMAND_H
#define GATEWAY_WS_COMMAND_H

#include "ws_frames.h"

typedef enum ws_wish {
  WS_PING,
  WS_SUBSCRIBE,
  WS_UNSUBSCRIBE,
  WS_RESUME,
  WS_SET_LOG_LEVEL,
  WS_GET_RECENT_LOGS,
  WS_GET_MODULES,
  WS_START_MAPPING,
  WS_STOP_MAPPING,
  WS_ROBOT_CONTROL,
  WS_WISH_COUNT
} ws_wish_t;

typedef struct ws_command {
  ws_wish_t wish;
  uint32_t types; /* subscribe, unsubscribe, resume: a bit per type */
  double max_hz;  /* subscribe; below 0: as it was */
  uint64_t seq;   /* resume */
  char instance[17];
  bool has_level;
  sys_log_level_t level; /* set_log_level, get_recent_logs */
  uint32_t limit;        /* get_recent_logs */
  bool ends_movement;    /* robot_control: a stop or a pause */
  char body[1200];       /* start_mapping, robot_control: of the route that does it */
} ws_command_t;

/* Reads a client's frame. GANTRY_E_SCHEMA with code BAD_FRAME, UNKNOWN_TYPE, BAD_SUBSCRIPTION or
   BAD_ARGUMENT and a sentence in fault. */
gantry_err_t ws_command_parse(const char *text, size_t len, ws_command_t *out,
                              gantry_fault_t *fault);

#endif
