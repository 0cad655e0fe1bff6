/* The transcript of the line. */
#include "transcript.h"

static const char *truth(bool value) {
  return value ? "true" : "false";
}

void transcript_write(FILE *file, const line_frame_t *frame) {
  static const char digits[] = "0123456789ABCDEF";
  char hex[2 * RTU_FRAME_MAX + 1];
  for (size_t i = 0; i < frame->len; i++) {
    hex[2 * i] = digits[frame->bytes[i] >> 4];
    hex[2 * i + 1] = digits[frame->bytes[i] & 0x0F];
  }
  hex[2 * frame->len] = '\0';
  (void)fprintf(file,
                "{\"dir\":\"%s\",\"unit\":%u,\"function\":%u,\"start_ns\":%lld,\"end_ns\":%lld,"
                "\"sound\":%s,\"garbled\":%s,\"late\":%s,\"hex\":\"%s\"}\n",
                frame->noise    ? "noise"
                : frame->answer ? "answer"
                                : "request",
                frame->len > 0 ? frame->bytes[0] : 0u, frame->len > 1 ? frame->bytes[1] : 0u,
                (long long)frame->start_ns, (long long)frame->end_ns,
                truth(rtu_is_sound(frame->bytes, frame->len)), truth(frame->collided),
                truth(frame->late), hex);
}
