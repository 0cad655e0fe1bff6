/* sensor-processor: readings from the line, checked, filtered and scored. */
#include <gantry/service.h>

#include "processor.h"

int main(int argc, char **argv) {
  return service_main(&SENSOR_PROCESSOR, argc, argv);
}
