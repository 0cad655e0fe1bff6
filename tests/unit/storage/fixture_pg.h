/* What fixture.c needs of a PostgreSQL server. */
#ifndef TESTS_STORAGE_FIXTURE_PG_H
#define TESTS_STORAGE_FIXTURE_PG_H

#include <stddef.h>

/* Makes an empty schema of this process's own and writes the DSN that uses it. */
void fixture_pg_init(char *dsn, size_t size);
void fixture_pg_fini(void);
/* The first column of the first row, "" without one, through a connection of its own. */
void fixture_pg_text(const char *dsn, const char *sql, char *out, size_t size);

#endif
