/* What the service's options say by default. */
#ifndef TESTS_STORAGE_DEFAULTS_H
#define TESTS_STORAGE_DEFAULTS_H

#include "lifecycle.h"

/* No disk is watched. */
lifecycle_settings_t default_lifecycle(void);

#endif
