/* Recording sessions as the API shows them. Pure; now_wall_ns is the wall time. */
#ifndef GATEWAY_VIEW_SESSIONS_H
#define GATEWAY_VIEW_SESSIONS_H

#include <messages.h>

void view_session(const session_session_t *session, uint64_t now_wall_ns, http_session_t *out);
void view_session_status(const session_status_t *status, uint64_t now_wall_ns,
                         http_session_status_t *out);
void view_session_row(const session_row_t *row, uint64_t now_wall_ns, http_session_row_t *out);
void view_session_summary(const session_summary_t *summary, uint64_t now_wall_ns,
                          http_session_summary_t *out);

/* Name of a file of that export: session-ID.csv with nothing but letters, digits, - and _ of the
   id. */
void view_export_name(const session_export_t *what, char *out, size_t size);

#endif
