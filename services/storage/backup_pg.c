/* pg_dump and pg_restore as children: arguments as a list, no shell; the archive through a pipe. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup.h"

#define CHUNK         65536
#define DSN_SIZE      2048
#define PASSWORD_SIZE 512

typedef struct child {
  pid_t pid;
  int archive; /* our end of the pipe */
  int words;   /* what it says on standard error */
} child_t;

/* Without a password of ours that of the environment, or of ~/.pgpass, may still do. */
static int spawn(char *const *argv, const posix_spawn_file_actions_t *actions, const char *password,
                 pid_t *pid) {
  char word[PASSWORD_SIZE + 16];
  size_t count = 0, kept = 0;
  while (environ[count])
    count++;
  char **words = calloc(count + 2, sizeof *words);
  if (!words) return ENOMEM;
  for (size_t i = 0; i < count; i++)
    if (!password[0] || strncmp(environ[i], "PGPASSWORD=", 11) != 0) words[kept++] = environ[i];
  snprintf(word, sizeof word, "PGPASSWORD=%s", password);
  if (password[0]) words[kept] = word;
  /* A service blocks the signals that it reads; the child is to be ended by them. */
  sigset_t none;
  posix_spawnattr_t attributes;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  int result = posix_spawnp(pid, argv[0], actions, &attributes, argv, words);
  posix_spawnattr_destroy(&attributes);
  free(words);
  return result;
}

/* feeds: we write the archive to it, else we read it. */
static gantry_err_t start(char *const *argv, const char *password, bool feeds, child_t *child,
                          gantry_fault_t *fault) {
  int archive[2], words[2];
  posix_spawn_file_actions_t actions;
  if (pipe2(archive, O_CLOEXEC) != 0)
    return fault_set(fault, GANTRY_E_INTERNAL, "", "pipe: %s", strerror(errno));
  if (pipe2(words, O_CLOEXEC) != 0) {
    close(archive[0]);
    close(archive[1]);
    return fault_set(fault, GANTRY_E_INTERNAL, "", "pipe: %s", strerror(errno));
  }
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, archive[feeds ? 0 : 1], feeds ? 0 : 1);
  posix_spawn_file_actions_adddup2(&actions, words[1], 2);
  int result = spawn(argv, &actions, password, &child->pid);
  posix_spawn_file_actions_destroy(&actions);
  close(archive[feeds ? 0 : 1]);
  close(words[1]);
  child->archive = archive[feeds ? 1 : 0];
  child->words = words[0];
  if (result == 0) return GANTRY_OK;
  close(child->archive);
  close(child->words);
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "", "%s: %s; install postgresql-client", argv[0],
                   strerror(result));
}

/* Waits for its end; its own last words tell what went wrong. */
static gantry_err_t finish(const char *name, child_t *child, gantry_err_t err,
                           gantry_fault_t *fault) {
  char words[160] = "";
  int status = 0;
  close(child->archive);
  if (err != GANTRY_OK) kill(child->pid, SIGTERM);
  ssize_t len = read(child->words, words, sizeof words - 1);
  words[len > 0 ? len : 0] = '\0';
  words[strcspn(words, "\n")] = '\0';
  char rest[256];
  while (read(child->words, rest, sizeof rest) > 0) {
  }
  close(child->words);
  while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return err;
  if (err != GANTRY_OK && err != GANTRY_E_UNAVAILABLE) return err;
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "dsn", "%s failed: %s", name, words);
}

/* Copies until the end of in. */
static gantry_err_t pump(int in, int out, const char *what, const progress_t *progress,
                         gantry_fault_t *fault) {
  char bytes[CHUNK];
  uint64_t done = 0;
  ssize_t len;
  while ((len = read(in, bytes, sizeof bytes)) > 0) {
    for (ssize_t at = 0; at < len;) {
      ssize_t n = write(out, bytes + at, (size_t)(len - at));
      if (n < 0) return fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s", strerror(errno));
      at += n;
    }
    done += (uint64_t)len;
    if (progress && !progress->tell(progress->arg, what, done, 0))
      return fault_set(fault, GANTRY_E_REFUSED, "", "interrupted");
  }
  return len == 0 ? GANTRY_OK
                  : fault_set(fault, GANTRY_E_UNAVAILABLE, "file", "%s", strerror(errno));
}

static gantry_err_t part_dsn(const char *dsn, char public[DSN_SIZE], char password[PASSWORD_SIZE],
                             gantry_fault_t *fault) {
  if (db_pg_split(dsn, public, DSN_SIZE, password, PASSWORD_SIZE) == GANTRY_OK) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, "dsn", "is no connection string, or too long");
}

gantry_err_t backup_pg_dump(const char *dsn, const seal_key_t *key, int out,
                            const progress_t *progress, gantry_fault_t *fault) {
  char public[DSN_SIZE], password[PASSWORD_SIZE];
  GANTRY_TRY(part_dsn(dsn, public, password, fault));
  char *argv[] = {"pg_dump",
                  "--exclude-schema=before_restore*",
                  "--format=custom",
                  "--no-owner",
                  "--no-password",
                  "--dbname",
                  public,
                  NULL};
  child_t child = {0};
  GANTRY_TRY(start(argv, password, false, &child, fault));
  gantry_err_t err = key ? seal_write(key, child.archive, out, progress, fault)
                         : pump(child.archive, out, "dumping", progress, fault);
  return finish("pg_dump", &child, err, fault);
}

gantry_err_t backup_pg_restore(const char *dsn, const seal_key_t *key, int in,
                               const progress_t *progress, gantry_fault_t *fault) {
  char public[DSN_SIZE], password[PASSWORD_SIZE];
  GANTRY_TRY(part_dsn(dsn, public, password, fault));
  char *argv[] = {"pg_restore", "--no-owner", "--single-transaction", "--no-password", "--dbname",
                  public,       NULL};
  child_t child = {0};
  /* A child that ends early is seen by its exit, not by a signal. */
  struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
  GANTRY_TRY(start(argv, password, true, &child, fault));
  sigaction(SIGPIPE, &ignore, &before);
  gantry_err_t err = key ? seal_read(key, in, child.archive, progress, fault)
                         : pump(in, child.archive, "restoring", progress, fault);
  err = finish("pg_restore", &child, err, fault);
  sigaction(SIGPIPE, &before, NULL);
  return err;
}
