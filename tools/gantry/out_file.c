/* Writes files, and says which could not be written and why. */
#include "out_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_SIZE = 4096 };

gantry_err_t out_folder_make(const char *folder, gantry_fault_t *fault) {
  struct stat status;
  if (mkdir(folder, 0777) == 0) return GANTRY_OK;
  int reason = errno;
  if (reason == EEXIST && stat(folder, &status) == 0) {
    if (S_ISDIR(status.st_mode)) return GANTRY_OK;
    reason = ENOTDIR;
  }
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "out", "cannot make the folder %.120s: %s", folder,
                   strerror(reason));
}

gantry_err_t out_file_write(const char *folder, const char *name, out_file_writer_t write,
                            const void *arg, gantry_fault_t *fault) {
  char path[PATH_SIZE];
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);
  if (length < 0 || (size_t)length >= sizeof path)
    return fault_set(fault, GANTRY_E_INVALID, "out", "the path is too long");
  FILE *file = fopen(path, "wb");
  if (!file)
    return fault_set(fault, GANTRY_E_UNAVAILABLE, "out", "cannot write %.120s: %s", path,
                     strerror(errno));
  errno = 0;
  gantry_err_t err = write(file, arg);
  if (fclose(file) != 0 && err == GANTRY_OK) err = GANTRY_E_UNAVAILABLE;
  if (err == GANTRY_OK) return err;
  return fault_set(fault, err, "out", "cannot write %.120s: %s", path,
                   errno ? strerror(errno) : gantry_err_name(err));
}

gantry_err_t out_printed(gantry_fault_t *fault) {
  if (fflush(stdout) == 0 && !ferror(stdout)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_UNAVAILABLE, "out", "cannot print the summary: %s",
                   strerror(errno));
}
