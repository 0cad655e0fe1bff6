#include "ws_load.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool ws_load_options(int argc, char **argv, ws_load_options_t *out) {
  static const struct option OPTIONS[] = {{"port", required_argument, NULL, 'p'},
                                          {"path", required_argument, NULL, 'a'},
                                          {"token", required_argument, NULL, 't'},
                                          {"type", required_argument, NULL, 'y'},
                                          {"clients", required_argument, NULL, 'c'},
                                          {"stalled", required_argument, NULL, 's'},
                                          {"seconds", required_argument, NULL, 'd'},
                                          {"rate-max", required_argument, NULL, 'r'},
                                          {"churn", required_argument, NULL, 'n'},
                                          {"pid", required_argument, NULL, 'i'},
                                          {NULL, 0, NULL, 0}};
  int option;

  *out = (ws_load_options_t){.path = "/ws",
                             .token = "",
                             .type = "position",
                             .clients = 1000,
                             .seconds = 10,
                             .rate_max = 40};
  while ((option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1) {
    if (option == 'p') out->port = (int)strtol(optarg, NULL, 10);
    if (option == 'a') out->path = optarg;
    if (option == 't') out->token = optarg;
    if (option == 'y') out->type = optarg;
    if (option == 'c') out->clients = (uint32_t)strtoul(optarg, NULL, 10);
    if (option == 's') out->stalled = (uint32_t)strtoul(optarg, NULL, 10);
    if (option == 'd') out->seconds = strtod(optarg, NULL);
    if (option == 'r') out->rate_max = strtod(optarg, NULL);
    if (option == 'n') out->churn = strtoull(optarg, NULL, 10);
    if (option == 'i') out->pid = (pid_t)strtol(optarg, NULL, 10);
    if (option == '?') return false;
  }
  if (out->port > 0) return true;
  fprintf(stderr, "ws_load: --port is needed\n");
  return false;
}

int ws_load_handshake(const ws_load_options_t *options, char *out, size_t size) {
  int len =
      snprintf(out, size,
               "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
               "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s%s%s\r\n",
               options->path, options->port, options->token[0] ? "Authorization: Bearer " : "",
               options->token, options->token[0] ? "\r\n" : "");

  return len > 0 && (size_t)len < size ? len : -1;
}

size_t ws_load_frame(uint8_t *out, uint8_t opcode, const void *bytes, size_t len) {
  static const uint8_t MASK[4] = {1, 2, 3, 4};

  if (len > 125) len = 125;
  out[0] = 0x80 | opcode;
  out[1] = (uint8_t)(0x80 | len);
  memcpy(out + 2, MASK, 4);
  for (size_t i = 0; i < len; i++)
    out[6 + i] = ((const uint8_t *)bytes)[i] ^ MASK[i % 4];
  return 6 + len;
}

bool ws_load_measure(const uint8_t *bytes, size_t len, size_t *head, size_t *body) {
  if (len < 2) return false;
  size_t extra = bytes[1] < 126 ? 0 : bytes[1] == 126 ? 2 : 8;
  *head = 2 + extra;
  if (len < *head) return false;
  *body = bytes[1] < 126 ? bytes[1] : 0;
  for (size_t i = 0; i < extra; i++)
    *body = *body << 8 | bytes[2 + i];
  return len - *head >= *body;
}

static bool find_number(const char *text, size_t len, const char *key, uint64_t *out) {
  const char *at = memmem(text, len, key, strlen(key));
  const char *end = text + len;

  if (!at) return false;
  for (at += strlen(key), *out = 0; at < end && *at >= '0' && *at <= '9'; at++)
    *out = *out * 10 + (uint64_t)(*at - '0');
  return true;
}

bool ws_load_numbers(const char *text, size_t len, const char *type, uint64_t *seq,
                     uint64_t *born_ns) {
  static const char BEGIN[] = "{\"type\":\"";
  size_t begin = sizeof BEGIN - 1, type_len = strlen(type);

  if (type_len && (len < begin + type_len + 1 || memcmp(text + begin, type, type_len) != 0 ||
                   text[begin + type_len] != '"'))
    return false;
  /* They stand behind the data, which may be long. */
  size_t skip = len > 1024 ? len - 256 : 0;
  (void)find_number(text + skip, len - skip, "\"born_ns\":", born_ns);
  return find_number(text + skip, len - skip, "\"seq\":", seq);
}

double ws_load_cpu_s(pid_t pid) {
  char path[64], line[1024];
  unsigned long long user = 0, system = 0;

  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = pid ? fopen(path, "re") : NULL;
  if (!file) return 0;
  const char *read = fgets(line, sizeof line, file);
  const char *at = read ? strrchr(line, ')') : NULL;
  fclose(file);
  /* Fields 14 and 15; the name before may hold anything. */
  for (int field = 2; at && field < 14; field++)
    at = strchr(at + 1, ' ');
  char *end;
  if (!at) return 0;
  user = strtoull(at, &end, 10);
  system = strtoull(end, NULL, 10);
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

uint64_t ws_load_rss_kib(pid_t pid) {
  char path[64], line[256];
  uint64_t kib = 0;

  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = pid ? fopen(path, "re") : NULL;
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (!strncmp(line, "VmRSS:", 6)) kib = strtoull(line + 6, NULL, 10);
  fclose(file);
  return kib;
}

static int compare(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;

  return (x > y) - (x < y);
}

void ws_load_sort(float *values, uint64_t count) {
  if (count) qsort(values, count, sizeof *values, compare);
}

double ws_load_at(const float *sorted, uint64_t count, double share) {
  if (!count) return 0;
  uint64_t at = (uint64_t)(share * (double)count);
  return (double)sorted[at < count ? at : count - 1];
}
