/* The mapper service. */
#include <gantry/service.h>

#include "mapper.h"

int main(int argc, char **argv) {
  return service_main(&MAPPER, argc, argv);
}
