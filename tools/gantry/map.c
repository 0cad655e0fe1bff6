/* gantry map: stored maps, and taking them from one machine to another. */
#include <errno.h>
#include <gantry/buf.h>
#include <gantry/clock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "commands.h"
#include "map_files.h"
#include "store_args.h"

static const char HELP[] =
    "Usage: gantry map [list] [--bus BASE]\n"
    "       gantry map versions MAP\n"
    "       gantry map export MAP FILE [--version N]   a map with graph and trajectory as one "
    "file\n"
    "       gantry map import FILE [--new-id]          --new-id: beside a map of the same id\n"
    "       gantry map image MAP [FOLDER] [--version N]  MAP.png and MAP.yaml as map_server reads "
    "them\n"
    "       gantry map import MAP.yaml [NAME]          a map of map_server's convention\n"
    "       gantry map closures                        places recognised while mapping\n"
    "       gantry map rename MAP NAME\n"
    "       gantry map delete MAP                      with its versions, sessions and "
    "trajectory\n";

static bool key_of(const store_args_t *args, map_key_t *key) {
  *key = (map_key_t){0};
  if ((size_t)snprintf(key->map_id, sizeof key->map_id, "%s", args->words[1]) >= sizeof key->map_id)
    return store_args_wrong(args, "`%s` is too long for a map's id.", args->words[1]) == 0;
  if (!args->version) return true;
  char *end = NULL;
  unsigned long version = strtoul(args->version, &end, 10);
  if (*end != '\0' || version == 0 || version > UINT32_MAX)
    return store_args_wrong(args, "--version is a number from 1, not `%s`.", args->version) == 0;
  key->has_version = true;
  key->version = (uint32_t)version;
  return true;
}

static int list(const store_args_t *args, ask_t *ask_) {
  static store_maps_t maps;
  const sys_empty_t nothing = {0};
  (void)args;
  if (!ask(ask_, REQUEST_STORE_MAP_LIST, &nothing, &maps)) return STORE_FAILED;
  printf("%-24s %-8s %-12s %-24s %s\n", "map", "version", "size", "changed", "name");
  for (uint32_t i = 0; i < maps.maps_count; i++) {
    const map_info_t *map = &maps.maps[i];
    char time[32], size[32];
    snprintf(size, sizeof size, "%ux%u", map->width, map->height);
    printf("%-24s %-8u %-12s %-24s %s\n", map->map_id, map->version, size,
           clock_iso(map->updated, time, sizeof time), map->name);
  }
  if (maps.total > maps.maps_count)
    printf("and %llu older ones\n", (unsigned long long)(maps.total - maps.maps_count));
  return 0;
}

static int versions(const store_args_t *args, ask_t *ask_) {
  static store_map_versions_t out;
  map_key_t key;
  if (!key_of(args, &key)) return STORE_USAGE;
  if (!ask(ask_, REQUEST_STORE_MAP_VERSIONS, &key, &out)) return STORE_FAILED;
  printf("%-8s %-24s %-12s %-10s %s\n", "version", "stored", "size", "bytes", "with");
  for (uint32_t i = 0; i < out.versions_count; i++) {
    const store_map_version_t *row = &out.versions[i];
    char time[32], size[32];
    snprintf(size, sizeof size, "%ux%u", row->width, row->height);
    printf("%-8u %-24s %-12s %-10llu %s%s%s\n", row->version,
           clock_iso(row->stored, time, sizeof time), size, (unsigned long long)row->bytes,
           row->graph ? "graph" : "", row->graph && row->trajectory ? ", " : "",
           row->trajectory ? "trajectory" : "");
  }
  return 0;
}

/* Under another name first, so that a file that is there is whole. */
static bool write_file(const char *path, blob_t data) {
  char part[1200];
  if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) return false;
  FILE *file = fopen(part, "we");
  bool good = file && fwrite(data.data, 1, data.len, file) == data.len && fflush(file) == 0 &&
              fsync(fileno(file)) == 0;
  if (file && fclose(file) != 0) good = false;
  if (good && rename(part, path) == 0) return true;
  fprintf(stderr, "gantry map: %s: %s\n", path, strerror(errno));
  unlink(part);
  return false;
}

static int export(const store_args_t *args, ask_t *ask_) {
  store_map_file_t file;
  map_key_t key;
  if (!key_of(args, &key)) return STORE_USAGE;
  if (!ask(ask_, REQUEST_STORE_MAP_EXPORT, &key, &file)) return STORE_FAILED;
  if (!write_file(args->words[2], file.data)) return STORE_FAILED;
  printf("%s: %zu bytes\n", args->words[2], file.data.len);
  return 0;
}

static int image(const store_args_t *args, ask_t *ask_) {
  map_key_t key;
  if (!key_of(args, &key)) return STORE_USAGE;
  return map_write_image(ask_, &key, args->count > 2 ? args->words[2] : ".");
}

static int closures(const store_args_t *args, ask_t *ask_) {
  (void)args;
  return map_list_closures(ask_);
}

static bool ends_with(const char *text, const char *ending) {
  size_t len = strlen(text), tail = strlen(ending);
  return len >= tail && strcmp(text + len - tail, ending) == 0;
}

static int import(const store_args_t *args, ask_t *ask_) {
  if (ends_with(args->words[1], ".yaml") || ends_with(args->words[1], ".yml"))
    return map_import_image(ask_, args->words[1], args->count > 2 ? args->words[2] : NULL);
  if (args->count > 2)
    return store_args_wrong(args, "only a map that comes as a YAML is given a name.");
  store_map_import_t wanted = {.new_id = args->new_id};
  map_info_t info;
  buf_t bytes = {.limit = 32u << 20};
  char chunk[65536];
  size_t len;
  FILE *file = fopen(args->words[1], "re");
  if (!file) {
    fprintf(stderr, "gantry map: %s: %s\n", args->words[1], strerror(errno));
    return STORE_FAILED;
  }
  while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
    buf_put(&bytes, chunk, len);
  fclose(file);
  wanted.data = (blob_t){.data = bytes.data, .len = bytes.len};
  int code = STORE_FAILED;
  if (buf_err(&bytes) != GANTRY_OK)
    fprintf(stderr, "gantry map: %s is no map file: it is longer than 32 MiB\n", args->words[1]);
  else if (ask(ask_, REQUEST_STORE_MAP_IMPORT, &wanted, &info))
    code = printf("%s %s\n", info.map_id, info.name) < 0;
  buf_fini(&bytes);
  return code;
}

static int rename_map(const store_args_t *args, ask_t *ask_) {
  store_map_update_t update = {.has_name = true};
  map_info_t info;
  map_key_t key;
  if (!key_of(args, &key)) return STORE_USAGE;
  snprintf(update.map_id, sizeof update.map_id, "%s", key.map_id);
  if ((size_t)snprintf(update.name, sizeof update.name, "%s", args->words[2]) >= sizeof update.name)
    return store_args_wrong(args, "that name is too long.");
  return ask(ask_, REQUEST_STORE_MAP_UPDATE, &update, &info) ? 0 : STORE_FAILED;
}

static int delete_map(const store_args_t *args, ask_t *ask_) {
  map_key_t key, gone;
  if (!key_of(args, &key)) return STORE_USAGE;
  return ask(ask_, REQUEST_STORE_MAP_DELETE, &key, &gone) ? 0 : STORE_FAILED;
}

typedef struct verb {
  const char *name;
  int least, most; /* words, with the verb itself */
  int (*run)(const store_args_t *args, ask_t *ask_);
} verb_t;

int command_map(int argc, char **argv) {
  static const verb_t VERBS[] = {{"list", 1, 1, list},         {"versions", 2, 2, versions},
                                 {"export", 3, 3, export},     {"import", 2, 3, import},
                                 {"image", 2, 3, image},       {"closures", 1, 1, closures},
                                 {"rename", 3, 3, rename_map}, {"delete", 2, 2, delete_map}};
  store_args_t args = {.name = "map", .help = HELP};
  ask_t ask_ = {.name = "map", .help = HELP};
  const verb_t *verb = NULL;
  int code = store_args_parse(&args, argc, argv);
  if (code >= 0) return code;
  if (args.count == 0) args.words[args.count++] = "list";
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++)
    if (strcmp(VERBS[i].name, args.words[0]) == 0 && args.count >= VERBS[i].least &&
        args.count <= VERBS[i].most)
      verb = &VERBS[i];
  if (!verb) return store_args_wrong(&args, "that is none of its forms.");
  if (!session_open(&ask_.session, args.bus)) return STORE_SETTINGS;
  code = verb->run(&args, &ask_);
  session_close(&ask_.session);
  return code;
}
