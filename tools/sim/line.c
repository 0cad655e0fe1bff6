/* The half-duplex line's clock. */
#include "line.h"

#include <string.h>

#define BITS_PER_BYTE    10      /* 8N1: start, eight data, stop */
#define GAP_NS           1750000 /* over 19200 baud; slower lines take 3.5 characters of 11 bits */
#define TURNAROUND_NS    1000000
#define PIECE_NS         2100000
#define UNPACED_QUIET_NS 2000000 /* ends a request that never became complete */

void line_init(line_t *line, const line_cfg_t *cfg, line_observer_t observer, void *context) {
  memset(line, 0, sizeof *line);
  line->cfg = *cfg;
  line->observer = observer;
  line->context = context;
  line->quiet_from_ns = INT64_MIN / 2;
  if (!cfg->paced) return;
  line->byte_ns = INT64_C(1000000000) * BITS_PER_BYTE / cfg->baud;
  line->gap_ns = cfg->baud > 19200 ? GAP_NS : INT64_C(38500000000) / cfg->baud;
  line->turnaround_ns = TURNAROUND_NS;
}

/* Removes frame i of a list and tells the observer. */
static void retire(line_t *line, line_frame_t *list, size_t *count, size_t i) {
  if (line->observer) line->observer(line->context, &list[i]);
  (*count)--;
  memmove(&list[i], &list[i + 1], (*count - i) * sizeof list[0]);
}

/* Marks both frames garbled where they overlap, once a pair. */
static void collide(line_t *line, line_frame_t *one, line_frame_t *other) {
  int64_t from_ns = one->start_ns > other->start_ns ? one->start_ns : other->start_ns;
  int64_t to_ns = one->end_ns < other->end_ns ? one->end_ns : other->end_ns;
  if (from_ns >= to_ns) return;
  line_frame_t *pair[2] = {one, other};
  for (int i = 0; i < 2; i++) {
    line_frame_t *frame = pair[i];
    if (!frame->collided || from_ns < frame->garble_from_ns) frame->garble_from_ns = from_ns;
    if (!frame->collided || to_ns > frame->garble_to_ns) frame->garble_to_ns = to_ns;
    frame->collided = true;
    frame->sound = false;
  }
  if (one->late || other->late || one->noise || other->noise) {
    line->stats.collisions_late++;
    return;
  }
  if (one->held || other->held) {
    line->stats.collisions_held++;
    return;
  }
  line->stats.collisions++;
  if (line->byte_ns > 0)
    line->stats.collision_bytes +=
        (uint64_t)((to_ns - from_ns + line->byte_ns - 1) / line->byte_ns);
}

/* Where a request written at now_ns begins: after the mandatory silence, except that nothing
   holds the master back from talking into an answer. */
static int64_t request_start(const line_t *line, int64_t now_ns) {
  int64_t quiet_ns = line->quiet_from_ns;
  for (size_t i = 0; i < line->request_count; i++)
    if (line->requests[i].end_ns > quiet_ns) quiet_ns = line->requests[i].end_ns;
  for (size_t i = 0; i < line->answer_count; i++)
    if (line->answers[i].end_ns <= now_ns && line->answers[i].end_ns > quiet_ns)
      quiet_ns = line->answers[i].end_ns;
  return now_ns > quiet_ns + line->gap_ns ? now_ns : quiet_ns + line->gap_ns;
}

/* Ends the incoming frame: it becomes a request, or is counted as lost. */
static void close_incoming(line_t *line) {
  line_frame_t *frame = &line->incoming;
  frame->sound = rtu_is_sound(frame->bytes, frame->len);
  for (size_t i = 0; i < line->answer_count; i++)
    collide(line, frame, &line->answers[i]);
  if (line->request_count < LINE_FRAMES)
    line->requests[line->request_count++] = *frame;
  else
    line->stats.dropped++;
  memset(frame, 0, sizeof *frame);
}

static int64_t incoming_quiet_ns(const line_t *line) {
  return line->incoming.end_ns + (line->cfg.paced ? line->gap_ns : UNPACED_QUIET_NS);
}

/* held: another request came in the same piece. */
static void receive_byte(line_t *line, int64_t now_ns, uint8_t byte, bool held) {
  line_frame_t *frame = &line->incoming;
  if (frame->len > 0 && now_ns > incoming_quiet_ns(line)) close_incoming(line);
  if (frame->len == 0) {
    frame->start_ns = request_start(line, now_ns);
    frame->end_ns = frame->start_ns;
    frame->held = held;
  } else if (frame->end_ns < now_ns) {
    frame->end_ns = now_ns;
  }
  frame->end_ns += line->byte_ns;
  frame->bytes[frame->len++] = byte;
  size_t wanted = rtu_request_len(frame->bytes, frame->len);
  if ((wanted == frame->len && rtu_is_sound(frame->bytes, frame->len)) ||
      frame->len == RTU_FRAME_MAX)
    close_incoming(line);
}

void line_receive(line_t *line, int64_t now_ns, const uint8_t *bytes, size_t len) {
  size_t before = line->request_count;
  for (size_t i = 0; i < len; i++)
    receive_byte(line, now_ns, bytes[i], line->request_count > before);
}

/* How many bytes of an answer are out at now_ns: the first alone, then whole pieces, then all. */
static size_t released(const line_t *line, const line_frame_t *frame, int64_t now_ns) {
  if (now_ns >= frame->end_ns) return frame->len;
  if (line->byte_ns == 0 || now_ns < frame->start_ns + line->byte_ns) return 0;
  size_t piece = (size_t)(PIECE_NS / line->byte_ns) + 1;
  size_t here = (size_t)((now_ns - frame->start_ns) / line->byte_ns);
  size_t whole = 1 + (here - 1) / piece * piece;
  return whole < frame->len ? whole : frame->len - 1;
}

/* When the next bytes of an answer are due. */
static int64_t release_ns(const line_t *line, const line_frame_t *frame) {
  if (line->byte_ns == 0) return frame->end_ns;
  size_t piece = (size_t)(PIECE_NS / line->byte_ns) + 1;
  size_t next = frame->sent == 0 ? 1 : frame->sent + piece;
  if (next >= frame->len) return frame->end_ns;
  return frame->start_ns + (int64_t)next * line->byte_ns;
}

int64_t line_next_ns(const line_t *line) {
  int64_t next_ns = INT64_MAX;
  if (line->incoming.len > 0) next_ns = incoming_quiet_ns(line) + 1;
  for (size_t i = 0; i < line->request_count; i++) {
    int64_t execute_ns = line->requests[i].end_ns + line->gap_ns;
    if (execute_ns < next_ns) next_ns = execute_ns;
  }
  for (size_t i = 0; i < line->answer_count; i++) {
    int64_t due_ns = release_ns(line, &line->answers[i]);
    if (due_ns < next_ns) next_ns = due_ns;
  }
  return next_ns;
}

bool line_take(line_t *line, int64_t now_ns, line_frame_t *request, int64_t *execute_ns) {
  if (line->incoming.len > 0 && now_ns > incoming_quiet_ns(line)) close_incoming(line);
  while (line->request_count > 0) {
    *execute_ns = line->requests[0].end_ns + line->gap_ns;
    if (*execute_ns > now_ns) return false;
    *request = line->requests[0];
    line->stats.requests++;
    line->stats.occupied_ns += request->end_ns - request->start_ns + line->gap_ns;
    if (request->end_ns > line->quiet_from_ns) line->quiet_from_ns = request->end_ns;
    retire(line, line->requests, &line->request_count, 0);
    if (request->sound) return true;
    if (!request->collided) line->stats.crc_errors++;
  }
  return false;
}

/* The next free frame, filled; NULL when the line holds no more. */
static line_frame_t *plan(line_t *line, int64_t start_ns, const uint8_t *bytes, size_t len) {
  if (line->answer_count >= LINE_FRAMES) {
    line->stats.dropped++;
    return NULL;
  }
  line_frame_t *frame = &line->answers[line->answer_count];
  memset(frame, 0, sizeof *frame);
  memcpy(frame->bytes, bytes, len);
  frame->len = len;
  frame->answer = true;
  frame->sound = true;
  frame->start_ns = start_ns;
  frame->end_ns = start_ns + (int64_t)len * line->byte_ns;
  return frame;
}

static void put_on_line(line_t *line, line_frame_t *frame) {
  for (size_t i = 0; i < line->answer_count; i++)
    collide(line, frame, &line->answers[i]);
  for (size_t i = 0; i < line->request_count; i++)
    collide(line, frame, &line->requests[i]);
  line->answer_count++;
}

void line_answer(line_t *line, int64_t execute_ns, const rtu_answer_t *answer) {
  if (answer->len == 0) return;
  int64_t start_ns = execute_ns + line->turnaround_ns + (int64_t)answer->late_us * 1000;
  line_frame_t *frame = plan(line, start_ns, answer->bytes, answer->len);
  if (!frame) return;
  frame->late = answer->late_us > 0;
  put_on_line(line, frame);
  line->stats.occupied_ns += line->turnaround_ns + frame->end_ns - frame->start_ns + line->gap_ns;
}

void line_babble(line_t *line, int64_t start_ns, const uint8_t *bytes, size_t len) {
  line_frame_t *frame = len > 0 ? plan(line, start_ns, bytes, len) : NULL;
  if (!frame) return;
  frame->noise = true;
  put_on_line(line, frame);
}

/* Damages the bytes that another frame talked into. */
static void garble(const line_t *line, line_frame_t *frame) {
  for (size_t i = 0; frame->collided && i < frame->len; i++) {
    int64_t from_ns = frame->start_ns + (int64_t)i * line->byte_ns;
    if (from_ns < frame->garble_to_ns && from_ns + line->byte_ns > frame->garble_from_ns)
      frame->bytes[i] ^= (uint8_t)(0xA5 + i);
  }
}

/* The answer whose bytes were due first, among those due by now_ns; the count for none. */
static size_t first_due(const line_t *line, int64_t now_ns) {
  size_t first = line->answer_count;
  int64_t first_ns = now_ns;
  for (size_t i = 0; i < line->answer_count; i++) {
    int64_t due_ns = release_ns(line, &line->answers[i]);
    if (due_ns > now_ns || (first < line->answer_count && due_ns >= first_ns)) continue;
    first = i;
    first_ns = due_ns;
  }
  return first;
}

size_t line_release(line_t *line, int64_t now_ns, uint8_t *out, size_t size) {
  size_t first = first_due(line, now_ns);
  if (first == line->answer_count) return 0;
  line_frame_t *frame = &line->answers[first];
  line_frame_t heard = *frame;
  size_t due = released(line, frame, now_ns);
  size_t len = due - frame->sent < size ? due - frame->sent : size;
  garble(line, &heard);
  memcpy(out, heard.bytes + frame->sent, len);
  frame->sent += len;
  if (frame->sent < frame->len) return len;
  memcpy(frame->bytes, heard.bytes, frame->len); /* the observer hears what was heard */
  if (frame->end_ns > line->quiet_from_ns) line->quiet_from_ns = frame->end_ns;
  line->stats.answers += !frame->noise;
  retire(line, line->answers, &line->answer_count, first);
  return len;
}

void line_cut(line_t *line) {
  line->incoming.len = 0;
  line->request_count = 0;
  line->answer_count = 0;
}
