/* Interrupts (SIGINT, SIGTERM) that are asked for, so that work in hand gets written. */
#ifndef GANTRY_TOOL_INTERRUPT_H
#define GANTRY_TOOL_INTERRUPT_H

#include <stdbool.h>

enum { EXIT_INTERRUPTED = 130 };

/* From now on interrupts wait to be asked for. Call it before threads are made: one that does not
   hold them too would be ended by them, and the process with it. */
void interrupt_hold(void);
bool interrupt_is_pending(void);

#endif
