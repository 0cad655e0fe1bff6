/* rs485-bridge. */
#include <gantry/service.h>

#include "bridge.h"

int main(int argc, char **argv) {
  return service_main(&RS485_BRIDGE, argc, argv);
}
