/* What a port tells the loop. A stop, a command and the state of the line hang on their results:
   where the mailbox is full they wait in the port, in their order, until there is room. A poll's
   values do not wait: the next turn brings newer ones. They are thrown away and counted. */
#include "port_internal.h"

#define WAKE_NS UINT64_C(1000000)

static bool is_routine(const port_result_t *result) {
  return result->news == PORT_RESULT && result->job.lane == JOB_POLL &&
         result->change == MODULE_SAME;
}

void port_tell_kept(port_t *port) {
  port_result_t told;
  while (port->kept.count > 0 && mailbox_send(port->results, ring_at(&port->kept, 0)))
    (void)ring_pop(&port->kept, &told);
}

bool port_is_choked(const port_t *port) {
  return port->kept.count >= PORT_KEPT_MAX / 4; /* the rest is for what is under way already */
}

static void hand_over(port_t *port, port_result_t *result, bool wake) {
  line_counts_plan(&port->counts, &port->jobs);
  result->counts = port->counts;
  result->search = port->discovery.view;
  port_tell_kept(port);
  if (port->kept.count == 0 &&
      (wake ? mailbox_send(port->results, result) : mailbox_put(port->results, result)))
    return;
  if (is_routine(result) || !ring_push(&port->kept, result)) port->counts.lost++;
}

void port_report(port_t *port, port_result_t *result) {
  hand_over(port, result, true);
}

/* A poll's values, right behind others, wait for the next silence or the loop's own look: on a fast
   line a wake-up costs as much as the transaction. */
void port_report_job(port_t *port, port_result_t *result) {
  bool wake = !is_routine(result) || result->last_byte_ns >= port->woke_ns + WAKE_NS;
  if (wake) port->woke_ns = result->last_byte_ns;
  hand_over(port, result, wake);
}
