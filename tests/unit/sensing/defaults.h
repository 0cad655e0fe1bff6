/* What the service's options say by default. */
#ifndef TESTS_SENSING_DEFAULTS_H
#define TESTS_SENSING_DEFAULTS_H

#include "limits.h"
#include "scan.h"

limits_t default_limits(void);
scan_rule_t default_scan_rule(void);

#endif
