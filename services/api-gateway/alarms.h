/* The alerts of all services as the door shows them. What holds is in the newest values, what
   people did about it in the marks kept here, what is over in storage. Pure; time is an argument.
 */
#ifndef GATEWAY_ALARMS_H
#define GATEWAY_ALARMS_H

#include "latest.h"

#define ALARMS_MAX 512 /* as many as eight services can hold at once */

/* What people did about an alert that holds. */
typedef struct alarm_mark {
  uint64_t id;                               /* alerts_number */
  char acknowledged_by[51], resolved_by[51]; /* "" : nobody */
  uint64_t acknowledged_ns, resolved_ns;     /* wall time */
} alarm_mark_t;

typedef struct alarms {
  uint32_t count;
  alarm_mark_t marks[ALARMS_MAX];
} alarms_t;

/* Takes over what storage says of an alert; false when that was known. */
bool alarms_note(alarms_t *alarms, const store_alert_row_t *row);
/* Takes over all that storage says of those that hold, instead of what was known before; false when
   all of it was known. */
bool alarms_replace(alarms_t *alarms, const store_alerts_t *held);
/* An alert is over, or open again: nothing is known of it any more. */
void alarms_forget(alarms_t *alarms, uint64_t id);
/* NULL when nobody did anything about it. */
const alarm_mark_t *alarms_find(const alarms_t *alarms, uint64_t id);

/* How an alert that service holds looks at the door. */
void alarms_view(const alarms_t *alarms, const char *service, const sys_alert_entry_t *entry,
                 http_alert_t *out);
/* The same of one that storage keeps. */
void alarms_view_row(const store_alert_row_t *row, http_alert_t *out);
http_alert_gravity_t alarms_gravity(sys_severity_t severity);
/* Those that hold and that nobody has resolved: gravest first, then newest. */
void alarms_active(const alarms_t *alarms, const latest_t *latest, uint64_t wall_ns,
                   http_active_alerts_t *out);

#endif
