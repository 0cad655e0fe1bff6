/* A session as a file: pieces of session.export on their way to a client. */
#ifndef GATEWAY_EXPORT_H
#define GATEWAY_EXPORT_H

#include "exchange.h"

/* What the file is called and said to be. */
typedef struct export_file {
  char name[128];       /* plain characters only */
  const char *type;     /* NULL: that of its format */
  bool measured;        /* its length is always told, and waited for */
  uint64_t modified_ns; /* wall time of its last change; 0: not told */
} export_file_t;

/* Answers with the export as a download: whole, or the part that Range asks for; HEAD says how long
   it is. From what->session, .format and .sensor. */
void export_answer(exchange_t *x, const session_export_t *what, const export_file_t *file);

#endif
