/* How shredded objects lie in their bytes: what shred.c writes and shred_take.c reads.

     SHAPE_TEXTS      lengths; the bytes of all texts
     SHAPE_TEMPLATES  count; each: length, bytes · the template of each row · each template, each of
                      its holes: numbers in it per row; a byte NUMBERS_*; the numbers of all rows

   A template holds a byte HOLE for each list of numbers that commas alone separate: an array of
   ranges is one list, however long. */
#ifndef STORAGE_SHRED_SHAPE_H
#define STORAGE_SHRED_SHAPE_H

#include "shred.h"

#define HOLE           '\1' /* never in JSON */
#define TEMPLATES_MAX  64u
#define HOLES_MAX      64u /* of one template */
#define DECIMALS_PLAIN 9   /* more are rather digits of a double */

typedef enum shape { SHAPE_TEXTS, SHAPE_TEMPLATES } shape_t;

typedef enum numbers {
  NUMBERS_FIXED, /* a byte for the decimals that all have; integers */
  NUMBERS_SHORT, /* the same, printed without zeros at the end */
  NUMBERS_REAL,  /* doubles, printed with the fewest digits */
  NUMBERS_TEXTS  /* lengths, bytes */
} numbers_t;

#endif
