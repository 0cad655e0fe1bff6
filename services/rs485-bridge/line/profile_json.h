/* A user's own register profile: the language of docs/profiles.md in JSON, read at run time and
   held to the same checks, in the same words, as the built-in ones are at build time
   (schemas/gen/registers_gen.py). */
#ifndef BRIDGE_PROFILE_JSON_H
#define BRIDGE_PROFILE_JSON_H

#include <stdio.h>

#include "registers.h"

#define PROFILE_WHY       512     /* bytes of a sentence that says what is wrong */
#define PROFILE_LEN_MAX   262144u /* bytes of a profile */
#define PROFILE_DEPTH_MAX 8

typedef struct profile_file profile_file_t;

/* Reads a profile. NULL with "PLACE: what is wrong; what to do" in why, the place being a line or
   the path of a field, e.g. module.air.register.humidity. */
profile_file_t *profile_parse(const char *text, size_t len, char *why, size_t size);
/* The same from a file; why begins with its path. */
profile_file_t *profile_open(const char *path, char *why, size_t size);
void profile_destroy(profile_file_t **self);
/* Owned by the file. */
const register_profile_t *profile_of(const profile_file_t *file);

/* Writes a profile in the same language, one line a register; what has its default is left out. */
void profile_show(const register_profile_t *profile, FILE *out);

#endif
