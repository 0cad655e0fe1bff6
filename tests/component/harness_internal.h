/* Inside of the harness: what its files share. */
#ifndef GANTRY_HARNESS_INTERNAL_H
#define GANTRY_HARNESS_INTERNAL_H

#include "harness.h"

enum { PARTIES_MAX = 16, SETTINGS_MAX = 32, INBOX_MAX = 8192 };

typedef struct letter {
  frame_t frame;
  uint8_t *bytes; /* owned copy of the body */
  void *body;     /* owned, decoded on demand */
} letter_t;

struct inbox {
  char prefix[FRAME_TOPIC_MAX + 1];
  letter_t *letters;
  size_t count, size;
  inbox_t *next;
};

struct harness {
  void *context;
  loop_t *loop; /* of the tap and the peers */
  bus_t *tap;
  rpc_client_t *client;
  service_run_t *runs[PARTIES_MAX];
  harness_peer_t *peers[PARTIES_MAX];
  inbox_t *inboxes;
  void **kept; /* owned: what the blobs of the last reply point to */
  size_t kept_count;
  char folder[64]; /* data folder of all services */
};

/* Ends the test by abort() when what it cannot go on without does not hold. */
void harness_must(bool holds, const char *what);
/* Frees what the last reply borrowed from. */
void harness_forget(harness_t *harness);
/* A fresh folder under /tmp, and its end with all files in it (no folders). */
void harness_make_folder(harness_t *harness);
void harness_remove_folder(harness_t *harness);

#endif
