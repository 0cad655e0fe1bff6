/* gantry session export: fetches an export piece by piece into FILE.part, with the tag that names
   the state of the data in FILE.tag, so that an interrupted one is gone on with. */
#include <errno.h>
#include <fcntl.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording.h"

#define PIECE_BYTES 1048576u
#define PROGRESS_NS (GANTRY_NS_PER_S / 5)
#define PATH_SIZE   1200

typedef struct download {
  ask_t *asked;
  session_export_t get;
  session_exported_t piece;
  char part[PATH_SIZE], tag[PATH_SIZE];
  int file;
  uint64_t begun_ns, first_byte, first_rows, shown_ns;
  bool moved; /* first_rows is known */
} download_t;

static bool complain(const char *path) {
  fprintf(stderr, "gantry session: %s: %s\n", path, strerror(errno));
  return false;
}

/* The form that the user names, else that of the file's ending, else csv. */
static bool choose_format(ask_t *asked, session_format_t *out) {
  const char *dot = strrchr(asked->words[2], '.');
  const char *text = asked->format ? asked->format : dot ? dot + 1 : "";
  int format = desc_enum_value(&SESSION_FORMAT_ENUM, text, strlen(text));
  *out = format < 0 ? SESSION_FORMAT_CSV : (session_format_t)format;
  if (format >= 0 || !asked->format) return true;
  return ask_wrong(asked, "--format is csv, csv_wide, jsonl or mcap, not `%s`.", text) == 0;
}

/* ---- what an interrupted export leaves */

static bool write_tag(const download_t *download) {
  FILE *file = fopen(download->tag, "we");
  bool good = file && fprintf(file, "%s\n", download->get.tag) > 0;
  if (file && fclose(file) != 0) good = false;
  return good || complain(download->tag);
}

static bool read_tag(download_t *download) {
  FILE *file = fopen(download->tag, "re");
  char *tag = download->get.tag;
  bool good = file && fgets(tag, sizeof download->get.tag, file) && tag[0] != '\n';
  if (file) fclose(file);
  tag[strcspn(tag, "\n")] = '\0';
  download->get.has_tag = good;
  if (good) return true;
  fprintf(stderr, "gantry session: %s: nothing to resume: export without --resume\n",
          download->part);
  return false;
}

/* In the end FILE.part takes the place of FILE: of a file, never of a folder or a device. */
static bool may_replace(const char *path) {
  struct stat state;
  if (stat(path, &state) != 0 || S_ISREG(state.st_mode)) return true;
  fprintf(stderr, "gantry session: %s: is there and no ordinary file: name another\n", path);
  return false;
}

static bool open_part(download_t *download) {
  bool resume = download->asked->resume;
  const char *path = download->asked->words[2];
  struct stat state;
  if (!may_replace(path)) return false;
  if ((size_t)snprintf(download->part, PATH_SIZE, "%s.part", path) >= PATH_SIZE ||
      (size_t)snprintf(download->tag, PATH_SIZE, "%s.tag", path) >= PATH_SIZE)
    return ask_wrong(download->asked, "that path is too long.") == 0;
  if (resume && !read_tag(download)) return false;
  download->file = open(download->part, O_WRONLY | O_CREAT | O_CLOEXEC | (resume ? 0 : O_TRUNC),
                        S_IRUSR | S_IWUSR | S_IRGRP);
  if (download->file < 0 || fstat(download->file, &state) != 0) return complain(download->part);
  download->get.offset = download->first_byte = (uint64_t)state.st_size;
  return lseek(download->file, 0, SEEK_END) >= 0 || complain(download->part);
}

static bool finish(download_t *download) {
  const char *path = download->asked->words[2];
  if (fsync(download->file) != 0) return complain(download->part);
  if (rename(download->part, path) != 0) return complain(path);
  unlink(download->tag);
  return true;
}

/* ---- pieces */

static void show(download_t *download) {
  const session_exported_t *piece = &download->piece;
  uint64_t now_ns = clock_mono_ns();
  if (!download->moved) download->first_rows = piece->rows;
  download->moved = true;
  if (now_ns - download->shown_ns < PROGRESS_NS) return;
  download->shown_ns = now_ns;
  double seconds = (double)(now_ns - download->begun_ns) / 1e9;
  double rate = (double)(piece->rows - download->first_rows) / seconds;
  double left = piece->total > piece->rows ? (double)(piece->total - piece->rows) : 0;
  ask_progress("%llu of %llu readings, %.1f MB, %.1f MB/s, %.0f s left",
               (unsigned long long)piece->rows, (unsigned long long)piece->total,
               (double)download->get.offset / 1e6,
               (double)(download->get.offset - download->first_byte) / 1e6 / seconds,
               rate > 0 ? left / rate : 0);
}

static bool write_piece(download_t *download) {
  const blob_t *data = &download->piece.data;
  for (size_t done = 0; done < data->len;) {
    ssize_t written = write(download->file, data->data + done, data->len - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return complain(download->part);
    done += (size_t)written;
  }
  download->get.offset += data->len;
  return true;
}

/* All pieces that are left; false when it was interrupted or failed. */
static bool fetch(download_t *download) {
  do {
    if (!ask_patiently(download->asked, REQUEST_SESSION_EXPORT, &download->get, &download->piece))
      return false;
    if (!download->get.has_tag) {
      download->get.has_tag = true;
      memcpy(download->get.tag, download->piece.tag, sizeof download->get.tag);
      if (!write_tag(download)) return false;
    }
    if (!write_piece(download)) return false;
    show(download);
  } while (!download->piece.done && !loop_stopped(download->asked->session.loop));
  ask_progress("%s", "");
  return download->piece.done;
}

static void report(const download_t *download) {
  const session_exported_t *piece = &download->piece;
  double seconds = (double)(clock_mono_ns() - download->begun_ns) / 1e9;
  printf("%s: %llu readings, %llu bytes, %.1f s\n", download->asked->words[2],
         (unsigned long long)piece->rows, (unsigned long long)download->get.offset, seconds);
  if (piece->has_size && piece->rows < piece->total)
    fprintf(stderr,
            "gantry session: %llu older readings of it were deleted by age and are missing\n",
            (unsigned long long)(piece->total - piece->rows));
}

/* Without a byte there is nothing to go on with, and nothing is left behind. */
static void leave(const download_t *download) {
  struct stat state;
  if (fstat(download->file, &state) != 0) return;
  if (state.st_size == 0) {
    unlink(download->part);
    unlink(download->tag);
    return;
  }
  fprintf(stderr,
          "gantry session: %lld bytes are in %s; --resume goes on there, while the session's data "
          "stay the same\n",
          (long long)state.st_size, download->part);
}

static int run(download_t *download) {
  if (!open_part(download)) return 1;
  download->begun_ns = clock_mono_ns();
  if (fetch(download) && finish(download)) {
    report(download);
    return 0;
  }
  ask_progress("%s", "");
  leave(download);
  return loop_stopped(download->asked->session.loop) ? ASK_INTERRUPTED : 1;
}

int recording_export(ask_t *asked) {
  static download_t download;
  download = (download_t){.asked = asked, .file = -1, .get.bytes = PIECE_BYTES};
  if (!choose_format(asked, &download.get.format)) return ASK_USAGE;
  if (!recording_find(asked, asked->words[1], download.get.session, sizeof download.get.session))
    return 1;
  if (asked->sensor) {
    download.get.has_sensor = true;
    snprintf(download.get.sensor, sizeof download.get.sensor, "%s", asked->sensor);
  }
  int code = run(&download);
  if (download.file >= 0) close(download.file);
  return code;
}
