/* What a port can be told, by name. */
#include "port.h"

bool port_submit(port_t *port, const job_t *job) {
  return port_send(port, &(port_order_t){.kind = PORT_JOB, .job = *job});
}

bool port_set_period(port_t *port, int poll, uint64_t period_ns) {
  return port_send(port,
                   &(port_order_t){.kind = PORT_PERIOD, .poll = poll, .period_ns = period_ns});
}

bool port_search(port_t *port, port_search_t search, uint8_t first, uint8_t last) {
  return port_send(
      port, &(port_order_t){.kind = PORT_SEARCH, .search = search, .first = first, .last = last});
}

bool port_restart(port_t *port) {
  return port_send(port, &(port_order_t){.kind = PORT_RESTART});
}

bool port_quarantine(port_t *port, uint8_t address, bool on) {
  return port_send(port,
                   &(port_order_t){.kind = PORT_QUARANTINE, .first = address, .quarantined = on});
}
