/* gantry session: what its parts share. */
#ifndef GANTRY_RECORDING_H
#define GANTRY_RECORDING_H

#include "ask.h"

#include <messages.h>

/* The session that a word names: its id, or `last` for the newest one. False, and said why, when
   there is none. */
bool recording_find(ask_t *asked, const char *word, char *out, size_t size);
/* gantry session export SESSION FILE. */
int recording_export(ask_t *asked);

#endif
