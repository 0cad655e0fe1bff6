/* The transcript: one JSON line for each frame that was on the line. */
#ifndef GANTRY_SIM_TRANSCRIPT_H
#define GANTRY_SIM_TRANSCRIPT_H

#include <stdio.h>

#include "line.h"

/* Appends {"dir","unit","function","start_ns","end_ns","sound","garbled","late","hex"}. Buffered:
   fflush writes it out. sound: the frame left the line with a correct CRC. */
void transcript_write(FILE *file, const line_frame_t *frame);

#endif
