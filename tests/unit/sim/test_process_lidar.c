/* The scanner's port of the whole simulator, with its own world and with a recorded log. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <modbus.h>

#include "sim_process.h"

#define SAMPLES 1100

static int open_port(const sim_process_t *process) {
  int fd = open(process->lidar, O_RDWR | O_NOCTTY | O_CLOEXEC);
  cr_assert_geq(fd, 0);
  return fd;
}

static void scan(int fd) {
  static const uint8_t wanted[7] = {0xA5, 0x5A, 0x05, 0x00, 0x00, 0x40, 0x81};
  uint8_t descriptor[7];
  cr_assert_eq(write(fd, "\xA5\x20", 2), 2);
  cr_assert_eq(sim_process_read(fd, descriptor, 7, 1000), 7);
  cr_assert_arr_eq(descriptor, wanted, 7);
}

static double metres_at(const uint8_t *sample) {
  return (double)(sample[4] << 8 | sample[3]) / 4000.0;
}

Test(process_lidar, streams_turns_in_real_time) {
  static uint8_t samples[SAMPLES * 5];
  sim_process_t process;
  sim_process_start(&process, NULL);
  int fd = open_port(&process);
  scan(fd);
  int64_t begin_ms = sim_process_now_ms();

  cr_assert_eq(sim_process_read(fd, samples, sizeof samples, 3000), sizeof samples);

  int64_t took_ms = sim_process_now_ms() - begin_ms;
  cr_assert(took_ms >= SAMPLES / 5 - 5 && took_ms < 3000, "%d ms", (int)took_ms);
  for (size_t i = 0; i < SAMPLES; i++) {
    cr_assert_eq(samples[5 * i] & 3, i % 500 == 0 ? 1 : 2, "sample %zu", i);
    cr_assert_eq(samples[5 * i + 1] & 1, 1);
  }
  /* A quarter turn clockwise from ahead stands the south wall, 1.8 m away. */
  cr_assert_float_eq(metres_at(samples + 5 * 125), 1.8, 0.15);
  (void)close(fd);
  sim_process_stop(&process);
}

Test(process_lidar, falls_silent_when_stopped_and_goes_on) {
  uint8_t bytes[4096];
  sim_process_t process;
  sim_process_start(&process, NULL);
  int fd = open_port(&process);
  scan(fd);
  (void)sim_process_ask(&process, "lidar stop");
  while (sim_process_read(fd, bytes, sizeof bytes, 20) > 0) {
  }
  cr_assert_eq(sim_process_read(fd, bytes, 1, 100), 0);

  (void)sim_process_ask(&process, "lidar start");

  cr_assert_eq(sim_process_read(fd, bytes, 125, 1000), 125);
  (void)close(fd);
  sim_process_stop(&process);
}

Test(process_lidar, repeats_its_turns_while_time_stands_still) {
  static uint8_t samples[1001 * 5];
  sim_process_t process;
  sim_process_start(&process, NULL);
  (void)sim_process_ask(&process, "world freeze");
  int fd = open_port(&process);
  scan(fd);

  cr_assert_eq(sim_process_read(fd, samples, sizeof samples, 3000), sizeof samples);

  cr_assert_arr_eq(samples, samples + 500 * 5, 500 * 5);
  (void)close(fd);
  sim_process_stop(&process);
}

/* A log of a robot that drives 10 m/s along y from (5, 5, 90 degrees), a scan at 1 s and 2 s. */
static void write_log(const char *path) {
  FILE *file = fopen(path, "w");
  cr_assert_not_null(file);
  (void)fprintf(file, "# beam i angle_deg = -90 + 90*i ; range >= 81 means no return ; "
                      "laser_x_offset_m 0\n");
  (void)fprintf(file, "ODOM 5 5 1.570796327 0 0 0 100 nohost 100\n");
  (void)fprintf(file, "FLASER 3 1.0 2.0 3.0 5 15 1.570796327 5 15 1.570796327 101 nohost 101\n");
  (void)fprintf(file, "ODOM 5 20 1.570796327 0 0 0 101.5 nohost 101.5\n");
  (void)fprintf(file, "FLASER 3 4.0 81.9 6.0 5 25 1.570796327 5 25 1.570796327 102 nohost 102\n");
  (void)fclose(file);
}

Test(process_lidar, replays_a_recorded_log) {
  sim_process_t process;
  uint8_t turn[20];
  uint16_t odometry[4];
  char log[64];
  (void)snprintf(log, sizeof log, "/tmp/gantry-sim-log-%d.clf", (int)getpid());
  write_log(log);
  const char *const arguments[] = {"--replay", log, "--pace", "5", NULL};
  sim_process_start(&process, arguments);
  int fd = open_port(&process);
  int64_t begin_ms = sim_process_now_ms();
  scan(fd);

  cr_assert_eq(sim_process_read(fd, turn, sizeof turn, 2000), sizeof turn);
  cr_assert_geq(sim_process_now_ms() - begin_ms, 198);
  cr_assert_float_eq(metres_at(turn), 2.0, 1e-3);
  cr_assert_float_eq(metres_at(turn + 5), 1.0, 1e-3);
  cr_assert_float_eq(metres_at(turn + 10), 3.0, 1e-3);
  cr_assert_eq(turn[15] & 3, 1);
  cr_assert_eq(sim_process_read(fd, turn, sizeof turn, 2000), sizeof turn);
  cr_assert_eq(metres_at(turn), 0.0);
  cr_assert_eq(sim_process_read(fd, turn, 1, 100), 0);

  modbus_t *bus = modbus_new_rtu(process.rs485, 115200, 'N', 8, 1);
  cr_assert(bus && modbus_set_slave(bus, 4) == 0 && modbus_connect(bus) == 0);
  cr_assert_eq(modbus_read_registers(bus, 0x0040, 4, odometry), 4);
  cr_assert_float_eq((int32_t)((uint32_t)odometry[1] << 16 | odometry[0]), 200000, 2.0);
  cr_assert_float_eq((int32_t)((uint32_t)odometry[3] << 16 | odometry[2]), 0, 2.0);
  cr_assert_eq(sim_process_number(sim_process_ask(&process, "state"), "scans"), 2);
  cr_assert_not_null(strstr(sim_process_ask(&process, "lidar blind"), "no world"));
  cr_assert_not_null(strstr(sim_process_ask(&process, "place 5"), "no world"));
  cr_assert_not_null(strstr(sim_process_ask(&process, "push 2"), "no world"));
  modbus_close(bus);
  modbus_free(bus);
  (void)close(fd);
  (void)unlink(log);
  sim_process_stop(&process);
}
