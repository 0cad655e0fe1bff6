/* The peer of the line master: reads by bare libmodbus, one after the other, nothing else.
   bare_modbus DEVICE SECONDS, the reads on standard input as "UNIT FIRST COUNT" a line; they are
   repeated in this order. Prints answered and failed reads, and seconds. */
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define READS_MAX 4096

typedef struct bare_read {
  int unit, first, count;
} bare_read_t;

static bare_read_t reads[READS_MAX];

static double now_s(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv) {
  uint16_t values[MODBUS_MAX_READ_REGISTERS];
  size_t len = 0;
  if (argc != 3) return 64;
  while (len < READS_MAX &&
         scanf("%d %d %d", &reads[len].unit, &reads[len].first, &reads[len].count) == 3)
    len++;
  modbus_t *line = modbus_new_rtu(argv[1], 115200, 'N', 8, 1);
  if (len == 0 || !line || modbus_connect(line) != 0) return 69;
  double begin_s = now_s(), end_s = begin_s + strtod(argv[2], NULL);
  unsigned long answered = 0, failed = 0;
  for (size_t i = 0; now_s() < end_s; i = (i + 1) % len) {
    (void)modbus_set_slave(line, reads[i].unit);
    if (modbus_read_registers(line, reads[i].first, reads[i].count, values) == reads[i].count)
      answered++;
    else
      failed++;
  }
  printf("%lu %lu %.6f\n", answered, failed, now_s() - begin_s);
  modbus_close(line);
  modbus_free(line);
  return 0;
}
