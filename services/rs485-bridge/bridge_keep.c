/* The registry over the bridge's own death: read at the start, kept when something has changed. */
#include "bridge_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gantry/text_keeper.h>

#include "registry_file.h"

#define FRESH_NS (60 * (uint64_t)GANTRY_NS_PER_S) /* last-seen times are no older than this */

struct bridge_keep {
  char path[300];
  text_keeper_t *keeper;
  registry_record_t records[REGISTRY_MAX];
  size_t count; /* read at the start, then as kept last */
  char text[REGISTRY_TEXT_MAX + 1];
  uint64_t kept_ns;
  bool lost_said;
};

static void set_aside(const bridge_keep_t *keep, const char *why) {
  char aside[310];
  (void)snprintf(aside, sizeof aside, "%s.bad", keep->path);
  bool moved = rename(keep->path, aside) == 0;
  log_warn("REGISTRY-REFUSED", "%s: %s; %s; the modules are searched for anew", keep->path, why,
           moved ? "set aside with the ending .bad" : "it could not be set aside");
}

static void read_file(bridge_keep_t *keep) {
  char why[96];
  FILE *file = fopen(keep->path, "re");
  if (!file && errno == ENOENT) return;
  size_t len = file ? fread(keep->text, 1, sizeof keep->text - 1, file) : 0;
  bool whole = file && !ferror(file) && feof(file) && memchr(keep->text, '\0', len) == NULL;
  if (file) (void)fclose(file);
  keep->text[len] = '\0';
  if (!whole)
    set_aside(keep, "it is no text of that size, or cannot be read");
  else if (!registry_file_read(keep->text, keep->records, REGISTRY_MAX, &keep->count, why,
                               sizeof why))
    set_aside(keep, why);
}

gantry_err_t bridge_keep_start(bridge_t *bridge) {
  bridge_keep_t *keep = calloc(1, sizeof *keep);
  if (!keep) return GANTRY_E_INTERNAL;
  bridge->keep = keep;
  (void)snprintf(keep->path, sizeof keep->path, "%s/modules.list",
                 config_text(bridge->service->config, "data"));
  read_file(keep);
  return text_keeper_new(keep->path, REGISTRY_TEXT_MAX, &keep->keeper);
}

void bridge_keep_seed(bridge_line_t *line) {
  const bridge_keep_t *keep = line->bridge->keep;
  port_cfg_t *cfg = &line->cfg;
  for (size_t i = 0; i < keep->count && cfg->seed_count < MODULES_MAX; i++)
    if (keep->records[i].line == line->number)
      cfg->seeds[cfg->seed_count++] = keep->records[i].module;
}

void bridge_keep_remember(bridge_line_t *line) {
  const bridge_keep_t *keep = line->bridge->keep;
  for (size_t i = 0; i < keep->count; i++) {
    const registry_record_t *record = &keep->records[i];
    module_copy_t *copy =
        record->line == line->number ? bridge_module_at(line, record->module.address) : NULL;
    if (!copy) continue;
    copy->is_stored = true;
    copy->stored = record->module;
    copy->seen_wall_ns = record->seen_wall_ns;
  }
}

static void add_record(bridge_keep_t *keep, const bridge_line_t *line, const module_copy_t *copy) {
  if (!copy->is_stored && !copy->row.quarantined) return; /* expected, and never met */
  if (keep->count == REGISTRY_MAX) return;
  registry_record_t *record = &keep->records[keep->count++];
  *record =
      (registry_record_t){.line = line->number,
                          .module = copy->is_stored ? copy->stored : module_seed_of(&copy->row),
                          .seen_wall_ns = copy->seen_wall_ns};
  record->module.quarantined = copy->row.quarantined;
  (void)snprintf(record->status, sizeof record->status, "%s",
                 desc_enum_text(&ROBOT_MODULE_STATUS_ENUM, (int)bridge_module_status(&copy->row)));
  bridge_module_name(line, copy->row.address, record->name, sizeof record->name);
}

/* Lines that are not configured now are remembered as they were. */
static void drop_present_lines(const bridge_t *bridge, bridge_keep_t *keep) {
  size_t count = 0;
  for (size_t i = 0; i < keep->count; i++)
    if (keep->records[i].line > bridge->line_count) keep->records[count++] = keep->records[i];
  keep->count = count;
}

static void keep_now(bridge_t *bridge, uint64_t now_ns) {
  bridge_keep_t *keep = bridge->keep;
  drop_present_lines(bridge, keep);
  keep->kept_ns = now_ns;
  bridge->registry_changed = false;
  for (size_t i = 0; i < bridge->line_count; i++)
    for (size_t k = 0; k < bridge->lines[i].module_count; k++)
      add_record(keep, &bridge->lines[i], &bridge->lines[i].modules[k]);
  size_t len = registry_file_write(keep->records, keep->count, keep->text, sizeof keep->text);
  if (len > 0) (void)text_keeper_set(keep->keeper, keep->text, len);
}

void bridge_keep_tick(bridge_t *bridge) {
  bridge_keep_t *keep = bridge->keep;
  uint64_t now_ns = clock_mono_ns();
  bool lost = text_keeper_outcome(keep->keeper) != GANTRY_OK;
  if (lost && !keep->lost_said)
    log_warn("REGISTRY-NOT-KEPT", "%s could not be written; make the data folder writable",
             keep->path);
  keep->lost_said = lost;
  if (bridge->registry_changed || now_ns - keep->kept_ns >= FRESH_NS) keep_now(bridge, now_ns);
}

void bridge_keep_stop(bridge_t *bridge) {
  if (!bridge->keep) return;
  bool whole = bridge->module_timer != 0; /* a start that failed has not met all lines */
  if (whole) keep_now(bridge, clock_mono_ns());
  text_keeper_destroy(&bridge->keep->keeper);
  free(bridge->keep);
  bridge->keep = NULL;
}
