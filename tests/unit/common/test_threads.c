/* Mailbox, log and counters between threads, in plain TAP: criterion does not run under the thread
   sanitizer, and that is where this test shows what it is for. */
#include <gantry/clock.h>
#include <gantry/log.h>
#include <gantry/mailbox.h>
#include <gantry/metrics.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SENDERS = 4, ITEMS = 5000, LINES = 500 };

typedef struct sender {
  mailbox_t *mailbox;
  metric_t *counter;
  uint32_t id;
  uint64_t refused;
} sender_t;

typedef struct item {
  uint32_t sender, number;
} item_t;

static unsigned failures;
static unsigned tests;

static void check(bool holds, const char *what) {
  tests++;
  if (!holds) failures++;
  printf("%sok %u - %s\n", holds ? "" : "not ", tests, what);
}

static void *send_all(void *arg) {
  sender_t *sender = arg;
  log_set_trace(sender->id + 1);
  for (uint32_t i = 0; i < ITEMS; i++) {
    item_t item = {.sender = sender->id, .number = i};
    if (!mailbox_send(sender->mailbox, &item)) sender->refused++;
    metric_add(sender->counter, 1);
    if (i < LINES) log_info("THREAD", "sender %u item %u", sender->id, i);
  }
  return NULL;
}

/* Takes until nothing comes for a while after the last sender has ended; true when each sender's
   items came in order. */
static bool receive_all(mailbox_t *mailbox, uint64_t *received) {
  uint32_t next[SENDERS] = {0};
  bool ordered = true;
  item_t item;
  while (mailbox_wait(mailbox, &item, clock_mono_ns() + GANTRY_NS_PER_S)) {
    ordered = ordered && item.number >= next[item.sender];
    next[item.sender] = item.number + 1;
    ++*received;
  }
  return ordered;
}

static unsigned whole_lines(int fd) {
  static char text[LINES * SENDERS * 256];
  size_t len = 0;
  ssize_t got;
  unsigned whole = 0;
  lseek(fd, 0, SEEK_SET);
  while ((got = read(fd, text + len, sizeof text - 1 - len)) > 0)
    len += (size_t)got;
  text[len] = '\0';
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    bool is_whole = strncmp(line, "{\"ts\"", 5) == 0 && line[strlen(line) - 1] == '}' &&
                    strstr(line, "\"trace\":\"000000000000000");
    if (is_whole) whole++;
  }
  return whole;
}

int main(void) {
  pthread_t threads[SENDERS];
  sender_t senders[SENDERS];
  metrics_t *metrics;
  mailbox_t *mailbox;
  uint64_t received = 0;
  uint64_t refused = 0;
  char path[] = "/tmp/gantry-log-XXXXXX";
  int fd = mkstemp(path);
  unlink(path);
  fcntl(fd, F_SETFL, O_APPEND);
  log_open("threads", LOG_INFO, fd);
  if (metrics_new(&metrics) != GANTRY_OK || mailbox_new(sizeof(item_t), 64, &mailbox) != GANTRY_OK)
    return 1;
  metric_t *counter = metrics_counter(metrics, "sent", "", "");
  for (uint32_t i = 0; i < SENDERS; i++) {
    senders[i] = (sender_t){.mailbox = mailbox, .counter = counter, .id = i};
    pthread_create(&threads[i], NULL, send_all, &senders[i]);
  }
  log_set_level(LOG_INFO);

  bool ordered = receive_all(mailbox, &received);

  for (int i = 0; i < SENDERS; i++) {
    pthread_join(threads[i], NULL);
    refused += senders[i].refused;
  }
  printf("1..5\n");
  check(ordered, "each sender's items arrive in its order");
  check(received + refused == (uint64_t)SENDERS * ITEMS, "every item is received or refused");
  check(mailbox_dropped(mailbox) == refused, "what is refused is counted");
  check(metric_value(counter) == SENDERS * ITEMS, "no count is lost between threads");
  check(whole_lines(fd) == SENDERS * LINES, "log lines of several threads never mix");
  mailbox_destroy(&mailbox);
  metrics_destroy(&metrics);
  close(fd);
  return failures == 0 ? 0 : 1;
}
