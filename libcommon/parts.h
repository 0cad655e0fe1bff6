/* Inside of frame, bus and rpc: multipart ZeroMQ messages in and out. */
#ifndef GANTRY_PARTS_H
#define GANTRY_PARTS_H

#include <gantry/frame.h>
#include <zmq.h>

enum { PARTS_MAX = 4 };

/* One received multipart message. */
typedef struct parts {
  zmq_msg_t part[PARTS_MAX];
  int count; /* parts that came; those beyond PARTS_MAX are counted but not kept */
} parts_t;

/* Takes the next message without blocking; false when there is none. */
bool parts_receive(void *socket, parts_t *parts);
void parts_close(parts_t *parts);
/* True when the socket has something to read; reading this clears the edge of its ZMQ_FD. */
bool parts_is_readable(void *socket);
/* Copies a topic or request name: 1 to FRAME_TOPIC_MAX printable ASCII bytes without spaces. */
gantry_err_t parts_name(zmq_msg_t *part, char name[FRAME_TOPIC_MAX + 1], gantry_fault_t *fault);
gantry_err_t parts_header(zmq_msg_t *part, sys_header_t *out, gantry_fault_t *fault);
gantry_err_t parts_body(zmq_msg_t *part, const desc_t *desc, void *out, gantry_fault_t *fault);
/* Sends [identity][name][header][body] without blocking; identity_len 0: no identity frame. scratch
   holds the packed header. GANTRY_E_UNAVAILABLE when the socket takes nothing now. */
gantry_err_t parts_send(void *socket, const void *identity, size_t identity_len, const char *name,
                        const sys_header_t *header, const buf_t *body, buf_t *scratch);

#endif
