/* The smallest service: what the tests of service_main start as a process. Its options make it fail
   in every way a service can. */
#include <gantry/service.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const option_t OPTIONS[] = {
    {"port", OPTION_INT, "3", 1, 10, NULL, "a number with bounds"},
    {"fail", OPTION_CHOICE, "no", 0, 0, "no|device|config|bug", "how start ends"},
    {"hang", OPTION_BOOL, "no", 0, 0, NULL, "whether stop never ends"},
};

typedef struct tiny {
  bool hang;
} tiny_t;

static gantry_err_t start(service_t *service, void **self, gantry_fault_t *fault) {
  const char *fail = config_text(service->config, "fail");
  if (strcmp(fail, "device") == 0)
    return fault_set(fault, GANTRY_E_DEVICE, "port", "no such device: plug it in");
  if (strcmp(fail, "config") == 0)
    return fault_set(fault, GANTRY_E_INVALID, "port", "not with that");
  if (strcmp(fail, "bug") == 0) return fault_set(fault, GANTRY_E_INTERNAL, "", "a bug");
  tiny_t *tiny = calloc(1, sizeof *tiny);
  if (!tiny) return GANTRY_E_INTERNAL;
  tiny->hang = config_bool(service->config, "hang");
  *self = tiny;
  return GANTRY_OK;
}

static void stop(void **self) {
  tiny_t *tiny = *self;
  while (tiny && tiny->hang)
    pause();
  free(tiny);
  *self = NULL;
}

int main(int argc, char **argv) {
  static const service_def_t TINY = {.name = "mapper",
                                     .doc = "Does nothing, for tests.",
                                     .options = OPTIONS,
                                     .option_count = sizeof OPTIONS / sizeof OPTIONS[0],
                                     .start = start,
                                     .stop = stop};
  return service_main(&TINY, argc, argv);
}
