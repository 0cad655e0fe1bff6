/* gantry topics: the catalogue, as it was generated from the schemas. */
#include "commands.h"

#include <gantry/catalogue.h>

#include <stdio.h>
#include <string.h>

static const char *const KINDS[] = {"stream", "state", "event"};

static void print_topics(void) {
  printf("%-26s %-7s %6s %-8s %-17s %s\n", "TOPIC", "KIND", "HZ", "DURABLE", "PRODUCER",
         "CONSUMERS");
  for (uint32_t i = 0; i < CATALOGUE_TOPIC_COUNT; i++) {
    const topic_t *topic = &CATALOGUE_TOPICS[i];
    printf("%-26s %-7s %6.3g %-8s %-17s", topic->pattern, KINDS[topic->kind], topic->rate_hz,
           topic->durable ? "yes" : "-", topic->producer);
    for (uint32_t c = 0; c < topic->consumer_count; c++) {
      printf("%s%s", c ? ", " : " ", topic->consumers[c]);
    }
    putchar('\n');
  }
}

static void print_requests(void) {
  printf("%-24s %-17s %-7s %8s  %-22s %s\n", "REQUEST", "SERVER", "LANE", "MS", "TAKES", "GIVES");
  for (uint32_t i = 0; i < CATALOGUE_REQUEST_COUNT; i++) {
    const request_t *request = &CATALOGUE_REQUESTS[i];
    printf("%-24s %-17s %-7s %8u  %-22s %s\n", request->name, request->server,
           request->lane == LANE_SAFETY ? "safety" : "normal", request->timeout_ms,
           request->takes->name, request->gives->name);
  }
}

int command_topics(int argc, char **argv) {
  bool requests = argc == 2 && strcmp(argv[1], "--requests") == 0;
  if (argc > 1 && !requests) {
    bool help = strcmp(argv[1], "--help") == 0;
    fputs("Usage: gantry topics [--requests]\n"
          "Prints every topic with kind, rate, producer and consumers; with --requests what can be "
          "called.\n",
          help ? stdout : stderr);
    return help ? 0 : 64;
  }
  if (requests) {
    print_requests();
  } else {
    print_topics();
  }
  return 0;
}
