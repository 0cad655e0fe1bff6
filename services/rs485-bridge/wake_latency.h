/* How late a processor that sleeps may wake: the kernel's PM QoS. Deep sleep costs a stop up to
   some milliseconds on some machines. */
#ifndef BRIDGE_WAKE_LATENCY_H
#define BRIDGE_WAKE_LATENCY_H

#include <stdint.h>

#define WAKE_LATENCY_DEVICE "/dev/cpu_dma_latency"

/* Asks that no processor wakes later than max_us; 0: none sleeps at all. It holds while the
   descriptor that is returned stays open. -1 where the device is missing or not ours; errno says.
 */
int wake_latency_hold(const char *device, int32_t max_us);

#endif
