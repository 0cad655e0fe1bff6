/* Which register profile a line has: a built-in one by its name, or a user's own by its path. Each
   file is read once and stays until the bridge ends. */
#include "bridge_internal.h"

#include <stdio.h>
#include <string.h>

#include "profile_json.h"

gantry_err_t bridge_find_profile(bridge_t *bridge, const char *key, const char *name,
                                 const register_profile_t **out, gantry_fault_t *fault) {
  char why[PROFILE_WHY];
  *out = registers_profile(name);
  for (size_t i = 0; i < bridge->profile_count && !*out; i++)
    if (strcmp(bridge->profiles[i].path, name) == 0) *out = profile_of(bridge->profiles[i].file);
  if (*out) return GANTRY_OK;
  if (!strchr(name, '/') && !strchr(name, '.'))
    return fault_set(
        fault, GANTRY_E_INVALID, key,
        "there is no register profile %.60s; use oht50, oht50-alt or the path of a file", name);
  if (bridge->profile_count == LINES_MAX)
    return fault_set(fault, GANTRY_E_INVALID, key, "at most %d register profiles", LINES_MAX);
  profile_file_t *file = profile_open(name, why, sizeof why);
  if (!file) {
    log_error("PROFILE-REFUSED", "%s", why); /* whole; the fault may have to be cut */
    return fault_set(fault, GANTRY_E_INVALID, key, "%s", why);
  }
  bridge_profile_t *kept = &bridge->profiles[bridge->profile_count++];
  (void)snprintf(kept->path, sizeof kept->path, "%s", name);
  kept->file = file;
  *out = profile_of(file);
  return GANTRY_OK;
}

static gantry_err_t want(const bridge_t *bridge, const char *key, const char *name,
                         gantry_fault_t *fault) {
  if (registers_find(registers_module(bridge->profile, "safety"), name)) return GANTRY_OK;
  return fault_set(fault, GANTRY_E_INVALID, key,
                   "profile %s has no register %s in its safety module; add it there, or take its "
                   "bit out of the setting",
                   bridge->profile->name, name);
}

/* A relay or an input that nobody knows would be passed over without a word. */
static gantry_err_t check_wiring(const bridge_t *bridge, gantry_fault_t *fault) {
  static const char *const keys[] = {"stop_relays_off", "stop_relays_on"};
  const config_t *config = bridge->service->config;
  for (unsigned i = 0; i < 2 * RELAYS; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "relay_%u", i / 2 + 1);
    if ((unsigned)config_int(config, keys[i % 2]) >> (i / 2) & 1u)
      GANTRY_TRY(want(bridge, keys[i % 2], name, fault));
  }
  return config_int(config, "interlock_inputs") == 0
             ? GANTRY_OK
             : want(bridge, "interlock_inputs", "inputs", fault);
}

gantry_err_t bridge_load_profile(bridge_t *bridge, gantry_fault_t *fault) {
  const char *name = config_text(bridge->service->config, "profile");
  char why[192];
  GANTRY_TRY(bridge_find_profile(bridge, "profile", name, &bridge->profile, fault));
  if (!registers_can_drive(bridge->profile, why, sizeof why))
    return fault_set(fault, GANTRY_E_INVALID, "profile", "%s: %s", name, why);
  GANTRY_TRY(check_wiring(bridge, fault));
  motors_init(&bridge->wiring, bridge->profile);
  readings_init(&bridge->readings, bridge->profile);
  return GANTRY_OK;
}

void bridge_drop_profiles(bridge_t *bridge) {
  for (size_t i = 0; i < bridge->profile_count; i++)
    profile_destroy(&bridge->profiles[i].file);
  bridge->profile_count = 0;
}
