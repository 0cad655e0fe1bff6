/* The settings of a service: its table and the common one, filled from defaults, file and
   environment, every value checked the same way wherever it comes from. */
#include "config_internal.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const option_t COMMON[] = {
    {"bus", OPTION_TEXT, "ipc:///run/gantry", 0, 200, NULL,
     "where the services meet: ipc://FOLDER, tcp://HOST-PATTERN[:PORT] or inproc://NAME"},
    {"robot", OPTION_TEXT, "robot-01", 0, 50, NULL, "id of the vehicle, in every message"},
    {"log_level", OPTION_CHOICE, "info", 0, 0, "debug|info|warn|error",
     "lowest level that is written"},
    {"data", OPTION_TEXT, "data", 0, 255, NULL, "folder of everything that is kept"},
    {"outbox_mb", OPTION_INT, "64", 1, 65536, NULL,
     "size of what waits for storage on disk; beyond it the oldest stream data goes, MiB"},
    {"restarts", OPTION_INT, "0", 0, 4294967295.0, NULL,
     "how often the supervisor has restarted it"},
};

const option_t *config_common(size_t *count) {
  *count = sizeof COMMON / sizeof COMMON[0];
  return COMMON;
}

value_t *config_find(const config_t *config, const char *key) {
  for (size_t i = 0; i < config->count; i++) {
    if (strcmp(config->values[i].option->key, key) == 0) return &config->values[i];
  }
  return NULL;
}

static bool is_choice(const char *choices, const char *text) {
  size_t len = strlen(text);
  for (const char *choice = choices; choice && *choice;) {
    const char *end = strchrnul(choice, '|');
    if ((size_t)(end - choice) == len && len > 0 && strncmp(choice, text, len) == 0) return true;
    choice = *end ? end + 1 : end;
  }
  return false;
}

static bool parse_bool(const char *text, int64_t *out) {
  *out = is_choice("true|yes|on|1", text);
  return *out || is_choice("false|no|off|0", text);
}

/* min = max = 0 stands for no bounds. */
static bool is_in_bounds(const option_t *option, double number) {
  bool unbounded = option->min == 0.0 && option->max == 0.0;
  return unbounded || (number >= option->min && number <= option->max);
}

static gantry_err_t fault_number(gantry_fault_t *fault, const option_t *option, const char *text,
                                 const char *where) {
  const char *kind = option->type == OPTION_INT ? "an integer" : "a number";
  if (option->min == 0.0 && option->max == 0.0)
    return fault_set(fault, GANTRY_E_INVALID, option->key, "%s: %s = %.40s, expected %s", where,
                     option->key, text, kind);
  return fault_set(fault, GANTRY_E_INVALID, option->key,
                   "%s: %s = %.40s, expected %s from %.10g to %.10g", where, option->key, text,
                   kind, option->min, option->max);
}

static gantry_err_t check_number(value_t *value, const char *text, const char *where,
                                 gantry_fault_t *fault) {
  char *end = NULL;
  errno = 0;
  if (value->option->type == OPTION_INT) {
    value->integer = strtoll(text, &end, 10);
    value->real = (double)value->integer;
  } else {
    value->real = strtod(text, &end);
  }
  bool whole = end != text && *end == '\0' && errno == 0 && isfinite(value->real);
  if (whole && is_in_bounds(value->option, value->real)) return GANTRY_OK;
  return fault_number(fault, value->option, text, where);
}

static gantry_err_t check(value_t *value, const char *text, const char *where,
                          gantry_fault_t *fault) {
  const option_t *option = value->option;
  switch (option->type) {
  case OPTION_INT:
  case OPTION_REAL:
    return check_number(value, text, where, fault);
  case OPTION_BOOL:
    if (parse_bool(text, &value->integer)) return GANTRY_OK;
    return fault_set(fault, GANTRY_E_INVALID, option->key, "%s: %s = %.40s, expected true or false",
                     where, option->key, text);
  case OPTION_CHOICE:
    if (is_choice(option->choices, text)) return GANTRY_OK;
    return fault_set(fault, GANTRY_E_INVALID, option->key, "%s: %s = %.40s, expected one of %s",
                     where, option->key, text, option->choices);
  case OPTION_TEXT:
    break;
  }
  size_t most = option->max > 0 ? (size_t)option->max : 255;
  if (strlen(text) <= most) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, option->key, "%s: %s is longer than %zu bytes", where,
                   option->key, most);
}

gantry_err_t config_keep(value_t *value, const char *text, int rank, const char *where,
                         gantry_fault_t *fault) {
  value_t checked = *value;
  GANTRY_TRY(check(&checked, text, where, fault));
  if (rank < value->rank) return GANTRY_OK;
  char *kept = strdup(text);
  if (!kept) return fault_set(fault, GANTRY_E_INTERNAL, value->option->key, "out of memory");
  free(value->text);
  *value = checked;
  value->text = kept;
  value->rank = rank;
  return GANTRY_OK;
}

/* "rs485-bridge" + "port" to "GANTRY_RS485_BRIDGE_PORT"; an empty service gives "GANTRY_PORT". */
static void env_name(const char *service, const char *key, char *out, size_t size) {
  snprintf(out, size, "GANTRY_%s%s%s", service, *service ? "_" : "", key);
  for (char *letter = out; *letter; letter++) {
    *letter = *letter == '-' ? '_' : (char)toupper((unsigned char)*letter);
  }
}

static gantry_err_t read_env(config_t *config, const char *service, bool common_only, int rank,
                             gantry_fault_t *fault) {
  for (size_t i = 0; i < config->count; i++) {
    value_t *value = &config->values[i];
    if (common_only && !value->common) continue;
    char name[128];
    env_name(service, value->option->key, name, sizeof name);
    const char *text = getenv(name);
    if (text) GANTRY_TRY(config_keep(value, text, rank, name, fault));
  }
  return GANTRY_OK;
}

static bool env_is_known(const config_t *config, const char *name, size_t len) {
  for (size_t i = 0; i < config->count; i++) {
    char known[128];
    env_name(config->service, config->values[i].option->key, known, sizeof known);
    if (strlen(known) == len && strncmp(known, name, len) == 0) return true;
  }
  return false;
}

static gantry_err_t refuse_unknown_env(const config_t *config, gantry_fault_t *fault) {
  char prefix[64];
  env_name(config->service, "", prefix, sizeof prefix);
  for (char **entry = environ; *entry; entry++) {
    size_t len = (size_t)(strchrnul(*entry, '=') - *entry);
    if (strncmp(*entry, prefix, strlen(prefix)) != 0 || env_is_known(config, *entry, len)) continue;
    return fault_set(fault, GANTRY_E_INVALID, "environment", "%.*s matches no option of %s",
                     (int)len, *entry, config->service);
  }
  return GANTRY_OK;
}

static gantry_err_t config_fill(config_t *config, const option_t *options, size_t count,
                                gantry_fault_t *fault) {
  size_t common_count;
  const option_t *common = config_common(&common_count);
  config->values = calloc(count + common_count, sizeof *config->values);
  if (!config->values) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  for (size_t i = 0; i < count + common_count; i++) {
    bool is_common = i >= count;
    config->values[i] =
        (value_t){.option = is_common ? &common[i - count] : &options[i], .common = is_common};
    config->count = i + 1;
    GANTRY_TRY(config_keep(&config->values[i], config->values[i].option->fallback, RANK_DEFAULT,
                           "default", fault));
  }
  return GANTRY_OK;
}

gantry_err_t config_load(const char *service, const option_t *options, size_t count,
                         const char *path, config_t **out, gantry_fault_t *fault) {
  *out = NULL;
  config_t *self = calloc(1, sizeof *self);
  if (!self) return fault_set(fault, GANTRY_E_INTERNAL, "", "out of memory");
  snprintf(self->service, sizeof self->service, "%s", service);
  gantry_err_t err = config_fill(self, options, count, fault);
  if (err == GANTRY_OK && path) err = config_read_file(self, path, fault);
  if (err == GANTRY_OK) err = read_env(self, "", true, RANK_ENV_COMMON, fault);
  if (err == GANTRY_OK) err = read_env(self, service, false, RANK_ENV, fault);
  if (err == GANTRY_OK) err = refuse_unknown_env(self, fault);
  if (err != GANTRY_OK) config_destroy(&self);
  *out = self;
  return err;
}

void config_destroy(config_t **self) {
  if (!*self) return;
  for (size_t i = 0; i < (*self)->count; i++) {
    free((*self)->values[i].text);
  }
  free((*self)->values);
  free(*self);
  *self = NULL;
}

static const value_t *config_value(const config_t *config, const char *key, option_type_t type) {
  const value_t *value = config_find(config, key);
  assert(value && "the key is not in the table");
  bool text_like = type == OPTION_TEXT && value->option->type == OPTION_CHOICE;
  assert(value->option->type == type || text_like);
  (void)text_like;
  return value;
}

const char *config_text(const config_t *config, const char *key) {
  return config_value(config, key, OPTION_TEXT)->text;
}

int64_t config_int(const config_t *config, const char *key) {
  return config_value(config, key, OPTION_INT)->integer;
}

double config_real(const config_t *config, const char *key) {
  return config_value(config, key, OPTION_REAL)->real;
}

bool config_bool(const config_t *config, const char *key) {
  return config_value(config, key, OPTION_BOOL)->integer != 0;
}

gantry_err_t config_set(config_t *config, const char *key, const char *value,
                        gantry_fault_t *fault) {
  value_t *found = config_find(config, key);
  if (!found)
    return fault_set(fault, GANTRY_E_INVALID, key, "%s has no option %s", config->service, key);
  return config_keep(found, value, RANK_SET, "--set", fault);
}

static void help_row(const option_t *option, const char *env_service) {
  char name[128];
  env_name(env_service, option->key, name, sizeof name);
  printf("  %-20s %s\n", option->key, option->doc);
  printf("  %-20s default %s", "", *option->fallback ? option->fallback : "(empty)");
  if (option->choices) printf("; one of %s", option->choices);
  bool numeric = option->type == OPTION_INT || option->type == OPTION_REAL;
  if (numeric && option->max != option->min) printf("; %.10g to %.10g", option->min, option->max);
  printf("; %s\n", name);
}

void config_help(const char *service, const option_t *options, size_t count) {
  size_t common_count;
  const option_t *common = config_common(&common_count);
  printf("Options of [%s]:\n", service);
  for (size_t i = 0; i < count; i++) {
    help_row(&options[i], service);
  }
  printf("Options of [common]:\n");
  for (size_t i = 0; i < common_count; i++) {
    help_row(&common[i], "");
  }
}

/* The owner alone; of what root has laid there for us, as orchestrators do, our group too. */
static bool is_private(const struct stat *info) {
  mode_t others = info->st_uid == 0 && geteuid() != 0 ? 037 : 077;
  return (info->st_mode & others) == 0;
}

gantry_err_t config_secret(const char *path, char *out, size_t size, gantry_fault_t *fault) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fault_set(fault, GANTRY_E_INVALID, path, "%s: %s", path, strerror(errno));
  struct stat info;
  gantry_err_t err = GANTRY_OK;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    err = fault_set(fault, GANTRY_E_INVALID, path, "%s is no regular file", path);
  else if (!is_private(&info))
    err = fault_set(fault, GANTRY_E_INVALID, path, "%s may be read by others: chmod 600 it", path);
  else if ((size_t)info.st_size >= size)
    err =
        fault_set(fault, GANTRY_E_TOO_LARGE, path, "%s holds more than %zu bytes", path, size - 1);
  ssize_t len = err == GANTRY_OK ? read(fd, out, size - 1) : 0;
  close(fd);
  if (err == GANTRY_OK && len < 0)
    err = fault_set(fault, GANTRY_E_INVALID, path, "%s: %s", path, strerror(errno));
  out[len > 0 ? len : 0] = '\0';
  out[strcspn(out, "\r\n")] = '\0';
  return err;
}
