/* The active alerts of one service, published as alert.{service} whenever they change (the bus
   repeats them). From the loop's thread. */
#ifndef GANTRY_ALERTS_H
#define GANTRY_ALERTS_H

#include <gantry/bus.h>

typedef struct alerts alerts_t;

/* Begins with none, which clears those of an earlier life. */
gantry_err_t alerts_new(bus_t *bus, alerts_t **out);
void alerts_destroy(alerts_t **self);

/* Raises the alert of that id and subject, or renews its message; the time stays that of the first
   call. At most 64, more are logged. */
void alerts_raise(alerts_t *alerts, const char *id, const char *subject, sys_severity_t severity,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Harmless when it is not raised. */
void alerts_clear(alerts_t *alerts, const char *id, const char *subject);

/* Those raised now; valid until the next call. */
const sys_alerts_t *alerts_list(const alerts_t *alerts);

/* The number of one raise of an alert: whoever hears of it finds the same, at least 1 and below
   2^53, so that readers of JSON keep it. raised_ns counts by the microsecond. */
uint64_t alerts_number(const char *service, const char *id, const char *subject,
                       uint64_t raised_ns);

#endif
