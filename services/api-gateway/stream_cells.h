/* Answers that hold a map's cells. A building has millions of them: they are written piece by
   piece, because a stop passes through the same loop. */
#ifndef GATEWAY_STREAM_CELLS_H
#define GATEWAY_STREAM_CELLS_H

#include "exchange.h"

/* Answers with value, the struct of endpoint->answer, whose `occupancy` belongs to it and holds all
   but data: the rows of cells, those of a map of that size. cells NULL: answers that memory ran
   out. */
void stream_cells(exchange_t *x, const void *value, http_occupancy_t *occupancy,
                  const map_info_t *info, shared_t *cells);

#endif
