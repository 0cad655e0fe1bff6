/* One JSON line a frame. */
#include <string.h>

#include <criterion/criterion.h>

#include "transcript.h"

Test(transcript, writes_a_frame_as_one_json_line) {
  char text[1024] = {0};
  FILE *file = fmemopen(text, sizeof text, "w");
  line_frame_t frame = {
      .bytes = {0x03, 0x03, 0x00, 0x00}, .start_ns = 5, .end_ns = 9, .collided = true};
  frame.len = rtu_seal(frame.bytes, 4);

  transcript_write(file, &frame);
  (void)fclose(file);

  cr_assert(
      strstr(text, "\"dir\":\"request\",\"unit\":3,\"function\":3,\"start_ns\":5,\"end_ns\":9"));
  cr_assert(strstr(text, "\"sound\":true,\"garbled\":true,\"late\":false"));
  cr_assert(strstr(text, "\"hex\":\"03030000"));
  cr_assert_eq(text[strlen(text) - 1], '\n');
}
