/* The registry of modules and the list of further ports, as anybody may have written them. The
   first byte picks; by its second bit a checked registry is spoilt, position and value in three
   bytes each. What is accepted is written down and read again the same.

     CC=clang-14 meson setup build-fuzz -Dfuzzers=true -Db_sanitize=address,undefined
   -Db_lundef=false ninja -C build-fuzz tests/fuzz/fuzz_registry
     build-fuzz/tests/fuzz/fuzz_registry -max_total_time=20 -max_len=4096 */
#include <stdlib.h>
#include <string.h>

#include "port_list.h"
#include "registry_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PORTS_MAX = 15 };

static registry_record_t records[REGISTRY_MAX], again[REGISTRY_MAX];
static char text[REGISTRY_TEXT_MAX + 4096], back[REGISTRY_TEXT_MAX + 4096];

static void read_registry(void) {
  char why[256] = "";
  size_t count = 0, count_again = 0;
  if (!registry_file_read(text, records, REGISTRY_MAX, &count, why, sizeof why)) {
    if (count != 0 || !why[0] || strlen(why) >= sizeof why) abort();
    return;
  }
  if (count > REGISTRY_MAX) abort();
  if (registry_file_write(records, count, back, sizeof back) == 0) abort();
  if (!registry_file_read(back, again, REGISTRY_MAX, &count_again, why, sizeof why)) abort();
  if (count != count_again) abort();
  for (size_t i = 0; i < count; i++) {
    const registry_record_t *one = &records[i], *other = &again[i];
    if (one->line != other->line || one->module.address != other->module.address) abort();
    if (strcmp(one->name, other->name) != 0 || strcmp(one->status, other->status) != 0) abort();
  }
}

static void read_ports(void) {
  static port_entry_t ports[PORTS_MAX];
  const port_entry_t defaults = {
      .path = "/dev/x", .profile = "oht50", .baud = 9600, .first = 2, .last = 5};
  char why[160] = "";
  size_t count = 0;
  if (!port_list_parse(text, &defaults, ports, PORTS_MAX, &count, why, sizeof why)) {
    if (!why[0] || strlen(why) >= sizeof why) abort();
    return;
  }
  if (count > PORTS_MAX) abort();
  for (size_t i = 0; i < count; i++)
    if (!ports[i].path[0] || ports[i].first == 0 || ports[i].first > ports[i].last ||
        ports[i].last > 247 || ports[i].baud < 1200)
      abort();
}

static void spoil(const uint8_t *script, size_t size) {
  memset(records, 0, sizeof records);
  for (size_t i = 0; i < 4; i++) {
    records[i].line = 1;
    records[i].module.address = (uint8_t)(i + 2);
    memcpy(records[i].status, "online", 7);
    memcpy(records[i].name, "power", 6);
  }
  size_t len = registry_file_write(records, 4, text, sizeof text);
  if (len == 0) abort();
  for (size_t i = 0; i + 2 < size; i += 3)
    text[((size_t)script[i] << 8 | script[i + 1]) % len] = (char)script[i + 2];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 4096) return 0;
  if (data[0] & 2) {
    spoil(data + 1, size - 1);
  } else {
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
  }
  if (data[0] & 1)
    read_ports();
  else
    read_registry();
  return 0;
}
