/* What happens to modules, as events: once each, when it happens. */
#include "bridge_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct news {
  const char *id;
  sys_severity_t severity;
} news_t;

static void say(const bridge_line_t *line, const module_copy_t *copy, news_t news,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* "module NAME at 0xAA on line N" and what the format says. */
static void say(const bridge_line_t *line, const module_copy_t *copy, news_t news,
                const char *format, ...) {
  char name[32], key[32], what[112], text[192];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(what, sizeof what, format, args);
  va_end(args);
  bridge_module_name(line, copy->row.address, name, sizeof name);
  bridge_module_key(line, copy->row.address, key, sizeof key);
  (void)snprintf(text, sizeof text, "module %s at 0x%02X on line %u %s", name, copy->row.address,
                 line->number, what);
  if (news.severity >= SYS_SEVERITY_WARNING)
    log_warn(news.id, "%s", text);
  else
    log_info(news.id, "%s", text);
  bridge_event(line->bridge, news.id, SYS_CATEGORY_MODULE, news.severity, key, text);
}

/* Whether it is missed now. */
static void set_alert(const bridge_line_t *line, const module_copy_t *copy, bool missed) {
  alerts_t *alerts = line->bridge->service->alerts;
  char name[32], key[32];
  bridge_module_name(line, copy->row.address, name, sizeof name);
  bridge_module_key(line, copy->row.address, key, sizeof key);
  if (missed)
    alerts_raise(alerts, "MODULE-OFFLINE", key, SYS_SEVERITY_ERROR,
                 "module %s at 0x%02X on line %u does not answer", name, copy->row.address,
                 line->number);
  else
    alerts_clear(alerts, "MODULE-OFFLINE", key);
}

static void say_presence(const bridge_line_t *line, module_copy_t *copy, module_change_t change) {
  if (change == MODULE_CAME || change == MODULE_WENT || change == MODULE_REMOVED)
    set_alert(line, copy, change == MODULE_WENT);
  if (change == MODULE_CAME) {
    copy->absent = false;
    if (!copy->is_stored)
      say(line, copy, (news_t){"MODULE-DISCOVERED", SYS_SEVERITY_INFO}, "was not known before");
    say(line, copy, (news_t){"MODULE-ONLINE", SYS_SEVERITY_INFO}, "answers");
  } else if (change == MODULE_WENT) {
    say(line, copy, (news_t){"MODULE-OFFLINE", SYS_SEVERITY_ERROR}, "%s",
        copy->row.misses > 0 ? "does not answer" : "answers, but nothing of it arrives undamaged");
  } else if (change == MODULE_REMOVED) {
    say(line, copy, (news_t){"MODULE-REMOVED", SYS_SEVERITY_WARNING},
        "is absent and was not found by a search: forgotten");
  }
  if (copy->absent || copy->row.quarantined || copy->row.faults < MODULE_ABSENT_AFTER) return;
  copy->absent = true;
  say(line, copy, (news_t){"MODULE-ABSENT", SYS_SEVERITY_ERROR},
      "has failed %u times in a row: it counts as absent", copy->row.faults);
}

static void say_conflict(const bridge_line_t *line, module_copy_t *copy) {
  const module_row_t *row = &copy->row;
  bool conflict = module_conflicts(row);
  uint8_t claimed = conflict ? row->device_id : 0;
  if (claimed == copy->conflict) return;
  copy->conflict = claimed;
  if (conflict)
    say(line, copy, (news_t){"MODULE-CONFLICT", SYS_SEVERITY_WARNING},
        "says its address is 0x%02X; give it one of its own", claimed);
  else
    say(line, copy, (news_t){"MODULE-CONFLICT-OVER", SYS_SEVERITY_INFO},
        "says its own address again");
}

/* The difference between what is kept and what the module says now. */
static void say_difference(const bridge_line_t *line, const module_copy_t *copy) {
  const module_seed_t *old = &copy->stored;
  const module_row_t *row = &copy->row;
  news_t news = {"MODULE-CHANGED", SYS_SEVERITY_WARNING};
  if (old->type != row->type)
    say(line, copy, news, "was of type %u and is of type %u", old->type, row->type);
  else if (old->serial != row->serial)
    say(line, copy, news, "was replaced: serial number %u was %u", row->serial, old->serial);
  else if (old->firmware != row->firmware || old->hardware != row->hardware)
    say(line, copy, news, "has firmware %u.%u, hardware %u.%u; it had %u.%u and %u.%u",
        row->firmware >> 8, row->firmware & 0xFFu, row->hardware >> 8, row->hardware & 0xFFu,
        old->firmware >> 8, old->firmware & 0xFFu, old->hardware >> 8, old->hardware & 0xFFu);
}

static bool is_same(const module_seed_t *one, const module_seed_t *other) {
  return one->type == other->type && one->firmware == other->firmware &&
         one->hardware == other->hardware && one->serial == other->serial &&
         one->identified == other->identified && one->quarantined == other->quarantined &&
         strcmp(one->letters, other->letters) == 0;
}

static void say_identity(const bridge_line_t *line, module_copy_t *copy) {
  module_seed_t now = module_seed_of(&copy->row);
  say_conflict(line, copy);
  if (!copy->is_stored || !is_same(&copy->stored, &now)) line->bridge->registry_changed = true;
  if (!copy->is_stored)
    say(line, copy, (news_t){"MODULE-REGISTERED", SYS_SEVERITY_INFO},
        "is kept: type %u, firmware %u.%u", now.type, now.firmware >> 8, now.firmware & 0xFFu);
  else if (copy->stored.identified && now.identified)
    say_difference(line, copy);
  copy->is_stored = true;
  copy->stored = now;
}

static void say_health(const bridge_line_t *line, module_copy_t *copy) {
  module_band_t band = module_stats_band(&copy->row.stats, copy->band), before = copy->band;
  if (copy->row.stats.zeros_wrong && !copy->zeros_said) {
    copy->zeros_said = true;
    log_warn("MODULE-ZEROS",
             "module 0x%02X on line %u sent nothing but zeros, which cannot be; taken as it is",
             copy->row.address, line->number);
  }
  if (band == before) return;
  copy->band = band;
  if (before == MODULE_BAND_UNKNOWN && band == MODULE_BAND_EXCELLENT) return;
  say(line, copy,
      (news_t){"MODULE-HEALTH",
               band > MODULE_BAND_GOOD && band > before ? SYS_SEVERITY_WARNING : SYS_SEVERITY_INFO},
      "is in %s health now; before: %s", module_band_name(band), module_band_name(before));
}

void bridge_module_news(const bridge_line_t *line, module_copy_t *copy, module_change_t change) {
  bool told =
      change == MODULE_KNOWN || (change == MODULE_CAME && copy->row.step == MODULE_STEP_DONE);
  say_presence(line, copy, change);
  if (told) say_identity(line, copy);
  if (!copy->row.quarantined) say_health(line, copy);
}
