/* The storage service. */
#include <gantry/service.h>

#include "storage.h"

int main(int argc, char **argv) {
  return service_main(&STORAGE, argc, argv);
}
