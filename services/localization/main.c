/* localization: where the robot is. */
#include <gantry/service.h>

#include "localization.h"

int main(int argc, char **argv) {
  return service_main(&LOCALIZATION, argc, argv);
}
