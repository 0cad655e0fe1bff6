/* Maps as files of map_server's convention, and what is known of the active one. */
#ifndef GANTRY_MAP_FILES_H
#define GANTRY_MAP_FILES_H

#include <messages.h>

#include "ask.h"
#include "store_args.h"

/* Each asks and prints; returns the exit code. */
/* Writes MAP_ID.png and MAP_ID.yaml into folder, which is made when missing. */
int map_write_image(ask_t *ask_, const map_key_t *key, const char *folder);
/* Stores the map that a YAML names under name; NULL: the file's own, without its ending. */
int map_import_image(ask_t *ask_, const char *yaml_path, const char *name);
/* Candidates for loop closures of the session, with what became of each. */
int map_list_closures(ask_t *ask_);

#endif
