#include "defaults.h"

#include <stdlib.h>

#include "lifecycle_settings.h"
#include "storage.h"

lifecycle_settings_t default_lifecycle(void) {
  config_t *config = NULL;
  gantry_fault_t fault;
  if (config_load("storage", STORAGE.options, STORAGE.option_count, NULL, &config, &fault) !=
      GANTRY_OK)
    abort();
  lifecycle_settings_t settings = lifecycle_settings_read(config, "");
  config_destroy(&config);
  return settings;
}
