/* The settings of lifecycle, from the service's options. */
#ifndef STORAGE_LIFECYCLE_SETTINGS_H
#define STORAGE_LIFECYCLE_SETTINGS_H

#include <gantry/config.h>

#include "lifecycle.h"

/* file: the database, whose folder is watched; "" when it is not a file. */
lifecycle_settings_t lifecycle_settings_read(const config_t *config, const char *file);
/* GANTRY_E_INVALID, with a fault that names the setting, when the levels of the disk do not rise.
 */
gantry_err_t lifecycle_settings_check(const lifecycle_settings_t *settings, gantry_fault_t *fault);

#endif
