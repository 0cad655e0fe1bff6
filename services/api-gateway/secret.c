/* What has to be random and what has to stay secret: the token key's file and first passwords. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth.h"
#include "base64url.h"

gantry_err_t auth_random(void *bytes, size_t count) {
  uint8_t *at = bytes;

  while (count > 0) {
    ssize_t got = getrandom(at, count, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return GANTRY_E_INTERNAL;
    at += got;
    count -= (size_t)got;
  }
  return GANTRY_OK;
}

gantry_err_t auth_random_id(uint64_t *out) {
  do {
    GANTRY_TRY(auth_random(out, sizeof *out));
    *out &= INT64_MAX; /* JSON readers know no more */
  } while (*out == 0);
  return GANTRY_OK;
}

gantry_err_t auth_random_token(const char *prefix, char *out, size_t size) {
  uint8_t random[32];
  size_t len = strlen(prefix);

  if (size < len + 44) return GANTRY_E_TOO_LARGE;
  GANTRY_TRY(auth_random(random, sizeof random));
  memcpy(out, prefix, len);
  return base64url_encode(random, sizeof random, out + len, size - len, NULL);
}

static gantry_err_t read_secret(int fd, const char *path, uint8_t secret[AUTH_SECRET_BYTES],
                                gantry_fault_t *fault) {
  struct stat status;

  if (fstat(fd, &status) != 0 || (status.st_mode & 077) != 0) {
    return fault_set(fault, GANTRY_E_INVALID, "", "%s may be read by others; chmod 600 it", path);
  }
  if (status.st_size != AUTH_SECRET_BYTES ||
      read(fd, secret, AUTH_SECRET_BYTES) != AUTH_SECRET_BYTES) {
    return fault_set(fault, GANTRY_E_INVALID, "",
                     "%s does not hold %d bytes; remove it and a new one is drawn", path,
                     AUTH_SECRET_BYTES);
  }
  return GANTRY_OK;
}

/* Written beside and linked into place: a start that dies half-way leaves no short file, and of two
   that start at once the first wins. */
static gantry_err_t write_secret(const char *path, const uint8_t secret[AUTH_SECRET_BYTES],
                                 gantry_fault_t *fault) {
  char temporary[512];
  int fd;
  bool written;

  snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
  fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fault_set(fault, GANTRY_E_INVALID, "", "%s cannot be written: %s", path,
                     strerror(errno));
  }
  written = write(fd, secret, AUTH_SECRET_BYTES) == AUTH_SECRET_BYTES && fsync(fd) == 0;
  close(fd);
  written = written && (link(temporary, path) == 0 || errno == EEXIST);
  unlink(temporary);
  if (written) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "", "%s cannot be written: %s", path, strerror(errno));
}

gantry_err_t auth_secret(const char *path, uint8_t secret[AUTH_SECRET_BYTES],
                         gantry_fault_t *fault) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

  if (fd < 0 && errno == ENOENT) {
    GANTRY_TRY(auth_random(secret, AUTH_SECRET_BYTES));
    GANTRY_TRY(write_secret(path, secret, fault));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  }
  if (fd < 0) {
    return fault_set(fault, GANTRY_E_INVALID, "", "%s cannot be read: %s", path, strerror(errno));
  }
  gantry_err_t err = read_secret(fd, path, secret, fault);
  close(fd);
  return err;
}

gantry_err_t auth_password(char *password, size_t size) {
  /* No letter that looks like another: the password is read off a terminal. */
  static const char *const CLASSES[] = {"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz",
                                        "23456789"};
  enum { LENGTH = 20 };
  uint8_t random[LENGTH];

  if (size < LENGTH + 1) return GANTRY_E_TOO_LARGE;
  GANTRY_TRY(auth_random(random, sizeof random));
  for (size_t i = 0; i < LENGTH; i++) {
    const char *class = CLASSES[i % 3];
    password[i] = class[random[i] % strlen(class)];
  }
  password[LENGTH] = '\0';
  return GANTRY_OK;
}
