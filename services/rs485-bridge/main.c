/* rs485-bridge. */
#include <sys/resource.h>

#include <gantry/service.h>

#include "bridge.h"

int main(int argc, char **argv) {
  /* A stop goes before maps and histories. Without the right to it the bridge runs as any other. */
  (void)setpriority(PRIO_PROCESS, 0, -15);
  return service_main(&RS485_BRIDGE, argc, argv);
}
