/* Sums, manifests, and the moment when a backup becomes visible. */
#include "backup_file.h"

#include <errno.h>
#include <fcntl.h>
#include <gantry/json.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest.h"

#define FORMAT    1
#define CHUNK     (256u << 10)
#define TEXT_MAX  4096
#define PATH_SIZE (BACKUP_PATH_MAX + 16)

static gantry_err_t failed(gantry_fault_t *fault, const char *path) {
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s: %s", path, strerror(errno));
}

static gantry_err_t sum_all(int fd, const char *path, store_backup_manifest_t *manifest,
                            const progress_t *progress, gantry_fault_t *fault) {
  struct stat status = {0};
  uint8_t *bytes = malloc(CHUNK);
  digest_t *digest = digest_new();
  gantry_err_t err = bytes && digest && fstat(fd, &status) == 0 ? GANTRY_OK : GANTRY_E_INTERNAL;
  ssize_t len = 1;
  manifest->bytes = 0;
  while (err == GANTRY_OK && len > 0) {
    len = read(fd, bytes, CHUNK);
    if (len < 0) {
      err = failed(fault, path);
      break;
    }
    digest_add(digest, bytes, (size_t)len);
    manifest->bytes += (uint64_t)len;
    if (progress &&
        !progress->tell(progress->arg, "summing", manifest->bytes, (uint64_t)status.st_size))
      err = fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
  }
  if (err == GANTRY_OK) err = digest_get(digest, manifest->sha256);
  digest_destroy(&digest);
  free(bytes);
  return err;
}

gantry_err_t backup_file_sum(const char *path, store_backup_manifest_t *manifest,
                             const progress_t *progress, gantry_fault_t *fault) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(fault, path);
  gantry_err_t err = sum_all(fd, path, manifest, progress, fault);
  close(fd);
  return err;
}

gantry_err_t backup_file_sync(const char *path, gantry_fault_t *fault) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  bool synced = fd >= 0 && fsync(fd) == 0;
  gantry_err_t err = synced ? GANTRY_OK : failed(fault, path);
  if (fd >= 0) close(fd);
  return err;
}

gantry_err_t backup_file_sync_folder(const char *path, gantry_fault_t *fault) {
  char copy[PATH_SIZE];
  snprintf(copy, sizeof copy, "%s", path);
  return backup_file_sync(dirname(copy), fault);
}

static void manifest_path(const char *file, char out[PATH_SIZE]) {
  snprintf(out, PATH_SIZE, "%.*s.manifest", BACKUP_PATH_MAX, file);
}

static gantry_err_t write_manifest(const char *path, const store_backup_manifest_t *manifest,
                                   gantry_fault_t *fault) {
  buf_t text = {0};
  gantry_err_t err = json_write(&STORE_BACKUP_MANIFEST_DESC, manifest, &text);
  buf_put_byte(&text, '\n');
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  bool written = err == GANTRY_OK && fd >= 0 &&
                 write(fd, text.data, text.len) == (ssize_t)text.len && fsync(fd) == 0;
  if (!written) err = failed(fault, path);
  if (fd >= 0) close(fd);
  buf_fini(&text);
  return err;
}

gantry_err_t backup_file_publish(const char *part, const char *file,
                                 const store_backup_manifest_t *manifest, gantry_fault_t *fault) {
  char path[PATH_SIZE];
  store_backup_manifest_t full = *manifest;
  full.format = FORMAT;
  manifest_path(file, path);
  if (access(file, F_OK) == 0)
    return fault_set(fault, GANTRY_E_CONFLICT, "file", "%s exists already: choose another name",
                     file);
  GANTRY_TRY(backup_file_sync(part, fault));
  GANTRY_TRY(write_manifest(path, &full, fault));
  if (renameat2(AT_FDCWD, part, AT_FDCWD, file, RENAME_NOREPLACE) != 0) {
    gantry_err_t err = failed(fault, file);
    unlink(path);
    return err;
  }
  return backup_file_sync_folder(file, fault);
}

static gantry_err_t read_manifest(const char *file, store_backup_manifest_t *manifest,
                                  gantry_fault_t *fault) {
  char path[PATH_SIZE], text[TEXT_MAX];
  gantry_fault_t inside = {0};
  manifest_path(file, path);
  FILE *stream = fopen(path, "re");
  if (!stream)
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "%s: %s; it is written beside the backup and has to stay with it", path,
                     strerror(errno));
  size_t len = fread(text, 1, sizeof text, stream);
  fclose(stream);
  if (json_read(&STORE_BACKUP_MANIFEST_DESC, text, len, false, manifest, &inside) != GANTRY_OK)
    return fault_set(fault, GANTRY_E_INVALID, "file", "%s: %s %s", path, inside.field,
                     inside.detail);
  if (manifest->format != FORMAT)
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "%s has format %u, this program reads %d: use a newer program", path,
                     manifest->format, FORMAT);
  return GANTRY_OK;
}

gantry_err_t backup_file_verify(const char *file, store_backup_manifest_t *manifest,
                                const progress_t *progress, gantry_fault_t *fault) {
  store_backup_manifest_t found = {0};
  if (access(file, R_OK) != 0) return failed(fault, file);
  GANTRY_TRY(read_manifest(file, manifest, fault));
  GANTRY_TRY(backup_file_sum(file, &found, progress, fault));
  if (found.bytes != manifest->bytes)
    return fault_set(fault, GANTRY_E_INVALID, "file", "%s is %llu bytes long, should be %llu", file,
                     (unsigned long long)found.bytes, (unsigned long long)manifest->bytes);
  if (strcmp(found.sha256, manifest->sha256) != 0)
    return fault_set(fault, GANTRY_E_INVALID, "file",
                     "%s is damaged: its sum is %.16s, should be %.16s", file, found.sha256,
                     manifest->sha256);
  return GANTRY_OK;
}
