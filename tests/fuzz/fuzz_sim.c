/* Any bytes on the simulator's line in any pieces, and any line on its control socket. The line's
   clock never runs backwards, every module answers whole frames, a refused command says why.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_sim build-fuzz/tests/fuzz/fuzz_sim
   -max_total_time=20 -max_len=1024 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_command(const uint8_t *data, size_t size) {
  char line[512], why[COMMAND_WHY_MAX];
  command_t command;
  size_t len = size < sizeof line - 1 ? size : sizeof line - 1;
  memcpy(line, data, len);
  line[len] = '\0';
  if (command_parse(line, &command, why) == (why[0] != '\0')) abort();
  for (const char *at = why; *at; at++)
    if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\') abort();
}

static void on_frame(void *context, const line_frame_t *frame) {
  (void)context;
  if (frame->end_ns < frame->start_ns || frame->len > RTU_FRAME_MAX) abort();
}

static void serve(plant_t *plant, line_t *line, int64_t now_ns) {
  uint8_t out[RTU_FRAME_MAX];
  line_frame_t request;
  int64_t execute_ns = 0;
  while (line_take(line, now_ns, &request, &execute_ns)) {
    rtu_answer_t answer;
    if (execute_ns > now_ns || !rtu_is_sound(request.bytes, request.len)) abort();
    plant_advance(plant, (uint64_t)(execute_ns / 1000000));
    rtu_serve(plant, request.bytes, request.len, &answer);
    if (answer.len > 0 && !rtu_is_sound(answer.bytes, answer.len)) abort();
    line_answer(line, execute_ns, &answer);
  }
  while (line_release(line, now_ns, out, sizeof out) > 0) {
  }
}

/* Pieces: a byte of length and time, then the bytes; every other piece gets its CRC. */
static void check_line(const uint8_t *data, size_t size) {
  static plant_t plant;
  static line_t line;
  const plant_cfg_t plant_cfg = {.world = {.seed = 1}, .units = 0x08FC, .modules.alt = size & 1};
  const line_cfg_t line_cfg = {.baud = 115200, .paced = size & 2};
  int64_t now_ns = 1000000000;
  plant_init(&plant, &plant_cfg);
  line_init(&line, &line_cfg, on_frame, NULL);
  for (size_t at = 0; at + 1 < size;) {
    uint8_t piece[RTU_FRAME_MAX];
    size_t len = data[at] % 32, left = size - at - 1;
    now_ns += (int64_t)(data[at] / 32) * 1500000;
    if (len > left) len = left;
    memcpy(piece, data + at + 1, len);
    at += 1 + len;
    if (len > 1 && (data[at - 1] & 1)) len = rtu_seal(piece, len);
    line_receive(&line, now_ns, piece, len);
    serve(&plant, &line, now_ns);
  }
  serve(&plant, &line, now_ns + INT64_C(10000000000));
  if (line.answer_count > 0 || line.request_count > 0) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  if (data[0] & 1)
    check_command(data + 1, size - 1);
  else
    check_line(data + 1, size - 1);
  return 0;
}
