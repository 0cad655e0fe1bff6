/* Downloads. Only who asks for a part, or for the length, waits for the export to be measured; and
   who speaks HTTP/1.0 (a proxy, maybe): without a length a cut would look like the end. */
#include "export.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gantry/clock.h>

#include "range.h"
#include "stream.h"

enum { PIECE = 256u << 10, STANDSTILL = 10 };

/* One download; lives in x->scratch. */
typedef struct download {
  session_export_t ask; /* the next piece */
  export_file_t file;
  char headers[640];
  int status;
  bool bounded; /* `left` bytes are to be sent in all */
  uint64_t left;
  uint64_t rows;       /* that storage has walked through */
  unsigned standstill; /* answers in a row that were no further */
} download_t;

static const char *const TYPES[SESSION_FORMAT_COUNT] = {
    [SESSION_FORMAT_CSV] = "text/csv; charset=utf-8",
    [SESSION_FORMAT_CSV_WIDE] = "text/csv; charset=utf-8",
    [SESSION_FORMAT_JSONL] = "application/x-ndjson",
    [SESSION_FORMAT_MCAP] = "application/octet-stream",
};

static download_t *download_of(exchange_t *x) {
  return (void *)x->scratch.data;
}

/* The state of the data that all pieces come from. */
static void hold_tag(download_t *download, const char *tag) {
  download->ask.has_tag = tag[0] != '\0';
  snprintf(download->ask.tag, sizeof download->ask.tag, "%s", tag);
}

/* Storage may answer without a byte when its time is up, but not for ever. */
static bool stands_still(download_t *download, size_t len, uint64_t rows) {
  download->standstill = len || rows > download->rows ? 0 : download->standstill + 1;
  download->rows = rows;
  return download->standstill > STANDSTILL;
}

static void fail_still(exchange_t *x) {
  exchange_fail(x, GANTRY_E_UNAVAILABLE, NULL, "",
                "storage gets no further with this export; ask again.");
}

static const char *type_of(const download_t *download) {
  return download->file.type ? download->file.type : TYPES[download->ask.format];
}

static void write_date(uint64_t wall_ns, char *out, size_t size) {
  time_t second = (time_t)(wall_ns / GANTRY_NS_PER_S);
  struct tm parts = {0};

  out[0] = '\0';
  if (wall_ns && gmtime_r(&second, &parts))
    (void)strftime(out, size, "Last-Modified: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
}

static void write_headers(exchange_t *x, const char *content_range) {
  download_t *download = download_of(x);
  char date[64];

  write_date(download->file.modified_ns, date, sizeof date);
  snprintf(download->headers, sizeof download->headers,
           "ETag: \"%s\"\r\n%sAccept-Ranges: bytes\r\n"
           "Content-Disposition: attachment; filename=\"%s\"\r\n%s",
           download->ask.tag, date, download->file.name, content_range);
  x->head.extra = download->headers;
}

/* The client has it already, whatever part of it he asks for. */
static bool is_known(exchange_t *x, const char *tag) {
  if (!range_tag_matches(x->if_none_match, tag, true)) return false;
  write_headers(x, "");
  exchange_begin(x);
  exchange_finish(x, 304, NULL);
  return true;
}

/* ---- pieces */

static void ask_piece(exchange_t *x);

static void on_cut(exchange_t *x, const gantry_fault_t *fault) {
  stream_break(x, fault->detail[0] ? fault->detail : gantry_err_name(fault->err));
}

/* What of a piece is sent, and whether it is the last. */
static size_t take(download_t *download, const session_exported_t *piece, bool *last) {
  size_t len = piece->data.len;

  *last = piece->done;
  if (download->bounded) {
    if (len > download->left) len = (size_t)download->left;
    download->left -= len;
    *last = download->left == 0;
  }
  download->ask.offset += len;
  return len;
}

static void on_piece(exchange_t *x, const void *reply) {
  const session_exported_t *piece = reply;
  bool last;

  if (!x->peer) return;
  size_t len = take(download_of(x), piece, &last);
  if (!piece->done && stands_still(download_of(x), len, piece->rows))
    stream_break(x, "storage gets no further");
  else if (piece->done && !last)
    stream_break(x, "it ended before the length that was promised");
  else
    stream_put(x, piece->data.data, len, last);
}

static void ask_next(exchange_t *x) {
  download_t *download = download_of(x);

  if (download->bounded && download->left < PIECE) download->ask.bytes = (uint32_t)download->left;
  exchange_call(x, REQUEST_SESSION_EXPORT, &download->ask, on_piece, on_cut);
}

static void on_first(exchange_t *x, const void *reply) {
  const session_exported_t *piece = reply;
  download_t *download = download_of(x);
  bool last;

  if (!x->peer) return;
  hold_tag(download, piece->tag);
  if (!piece->data.len && !piece->done) {
    if (stands_still(download, 0, piece->rows))
      fail_still(x);
    else
      ask_piece(x);
    return;
  }
  if (download->status == 200) {
    if (is_known(x, piece->tag)) return;
    write_headers(x, "");
    if (!download->bounded) {
      download->bounded = piece->has_size || piece->done;
      download->left = piece->done ? piece->data.len : piece->size;
    }
    x->head.has_length = download->bounded;
    x->head.length = download->left;
  }
  size_t len = take(download, piece, &last);
  stream_begin(x, download->status, type_of(download), piece->data.data, len, last, ask_next);
}

/* The first piece: until it is here, a fault is an answer. */
static void ask_piece(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_EXPORT, &download_of(x)->ask, on_first, NULL);
}

/* ---- length */

static void answer_length(exchange_t *x, uint64_t size) {
  write_headers(x, "");
  x->head.has_length = true;
  x->head.length = size;
  stream_begin(x, 200, type_of(download_of(x)), NULL, 0, true, NULL);
}

static void answer_behind(exchange_t *x, uint64_t size) {
  char range[64];

  snprintf(range, sizeof range, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
  write_headers(x, range);
  gantry_fault_t fault = {.err = GANTRY_E_INVALID};
  snprintf(fault.code, sizeof fault.code, "RANGE_NOT_SATISFIABLE");
  snprintf(fault.detail, sizeof fault.detail, "The export has %llu bytes; ask for some of them.",
           (unsigned long long)size);
  exchange_fail_status(x, 416, &fault);
}

static void ask_part(exchange_t *x, const range_t *part, uint64_t size) {
  download_t *download = download_of(x);
  char range[112];

  snprintf(range, sizeof range, "Content-Range: bytes %llu-%llu/%llu\r\n",
           (unsigned long long)part->from, (unsigned long long)part->last,
           (unsigned long long)size);
  write_headers(x, range);
  download->status = 206;
  download->bounded = true;
  download->left = part->last - part->from + 1;
  download->ask.offset = part->from;
  if (download->left < PIECE) download->ask.bytes = (uint32_t)download->left;
  x->head.has_length = true;
  x->head.length = download->left;
  ask_piece(x);
}

static void ask_whole(exchange_t *x, uint64_t size) {
  download_of(x)->bounded = true;
  download_of(x)->left = size;
  ask_piece(x);
}

static void ask_length(exchange_t *x);

static void on_measured(exchange_t *x, const void *reply) {
  const session_measured_t *measured = reply;
  range_t part;

  if (!x->peer) return;
  hold_tag(download_of(x), measured->tag);
  if (!measured->done) {
    if (stands_still(download_of(x), 0, measured->rows))
      fail_still(x);
    else
      ask_length(x);
    return;
  }
  if (x->head.head_only) {
    answer_length(x, measured->size);
    return;
  }
  if (is_known(x, measured->tag)) return;
  bool same = !x->if_range[0] || range_tag_matches(x->if_range, measured->tag, false);
  range_verdict_t verdict = same ? range_read(x->range, measured->size, &part) : RANGE_WHOLE;
  if (verdict == RANGE_PART)
    ask_part(x, &part, measured->size);
  else if (verdict == RANGE_BEHIND)
    answer_behind(x, measured->size);
  else
    ask_whole(x, measured->size);
}

static void ask_length(exchange_t *x) {
  exchange_call(x, REQUEST_SESSION_MEASURE, &download_of(x)->ask, on_measured, NULL);
}

void export_answer(exchange_t *x, const session_export_t *what, const export_file_t *file) {
  download_t download = {.ask = *what, .file = *file, .status = 200};

  if (!stream_admit(x)) return;
  download.ask.offset = 0;
  download.ask.bytes = PIECE;
  buf_reset(&x->scratch);
  buf_put(&x->scratch, &download, sizeof download);
  if (buf_err(&x->scratch) != GANTRY_OK)
    exchange_fail(x, GANTRY_E_INTERNAL, NULL, "", "Out of memory.");
  else if (file->measured || x->old_http || x->head.head_only || range_is_asked(x->range))
    ask_length(x);
  else
    ask_piece(x);
}
