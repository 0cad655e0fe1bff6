#include "gateway.h"

int main(int argc, char **argv) {
  return service_main(&GATEWAY_SERVICE, argc, argv);
}
