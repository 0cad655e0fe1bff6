/* Keeps one small text file from a thread of its own: neither a stop nor the loop waits for a disk.
   What is wanted last is what is kept; an older wish that has not begun is passed over. The file is
   replaced as a whole. */
#ifndef GANTRY_TEXT_KEEPER_H
#define GANTRY_TEXT_KEEPER_H

#include <gantry/err.h>
#include <stddef.h>

typedef struct text_keeper text_keeper_t;

/* Starts the thread. path is copied; size_max is the longest text. */
gantry_err_t text_keeper_new(const char *path, size_t size_max, text_keeper_t **out);
/* Keeps the last wish, ends the thread. */
void text_keeper_destroy(text_keeper_t **self);
/* Wishes the file to hold text. Does not block. GANTRY_E_TOO_LARGE beyond size_max. */
gantry_err_t text_keeper_set(text_keeper_t *keeper, const char *text, size_t len);
/* Readable from when a wish was tried until the next text_keeper_outcome. Owned by the keeper. */
int text_keeper_fd(const text_keeper_t *keeper);
/* The outcome of the newest wish that was tried; GANTRY_OK when it is on the disk, or none was. */
gantry_err_t text_keeper_outcome(text_keeper_t *keeper);

#endif
