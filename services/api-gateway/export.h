/* A session as a file: pieces of session.export on their way to a client. */
#ifndef GATEWAY_EXPORT_H
#define GATEWAY_EXPORT_H

#include "exchange.h"

/* Answers with the export as a download called file_name (plain characters only): whole, or the
   part that Range asks for; HEAD says how long it is. From what->session, .format and .sensor. */
void export_answer(exchange_t *x, const session_export_t *what, const char *file_name);

#endif
