/* An RPLIDAR on a serial device of its own: a thread that starts the scan, decodes turns and hands
   them to the loop. A silent scanner is started again, a device that disappears is reopened. */
#ifndef BRIDGE_LIDAR_PORT_H
#define BRIDGE_LIDAR_PORT_H

#include <gantry/err.h>

#include "lidar_decoder.h"

typedef struct lidar_port lidar_port_t;

typedef enum lidar_news {
  LIDAR_TURN,
  LIDAR_OPENED, /* scanning; detail says model and firmware */
  LIDAR_SILENT, /* no sample for a while: started again */
  LIDAR_CLOSED  /* detail says why */
} lidar_news_t;

typedef struct lidar_message {
  lidar_news_t news;
  lidar_turn_t turn; /* LIDAR_TURN */
  char detail[96];
} lidar_message_t;

gantry_err_t lidar_port_new(const char *path, uint32_t baud, lidar_port_t **out);
/* Stops the scan and ends the thread; at most 200 ms. */
void lidar_port_destroy(lidar_port_t **self);
int lidar_port_fd(const lidar_port_t *port);
bool lidar_port_receive(lidar_port_t *port, lidar_message_t *out);

#endif
