/* The numbered migrations that the build embeds. Data only. */
#ifndef STORAGE_MIGRATIONS_H
#define STORAGE_MIGRATIONS_H

#include <stdint.h>

typedef struct migration {
  uint32_t version;     /* 1, 2, 3, ... without a gap */
  const char *name;     /* from the file's name */
  const char *checksum; /* SHA-256 of the file, 64 hex digits */
  const char *sql;      /* the file */
} migration_t;

extern const migration_t MIGRATIONS_SQLITE[];
extern const uint32_t MIGRATIONS_SQLITE_COUNT;

#endif
