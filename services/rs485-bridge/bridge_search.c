/* The search for modules, over all lines: robot.discovery, and robot.discover as before. */
#include "bridge_internal.h"

#include <stdio.h>

#include <gantry/clock.h>

#define PERIOD_MS   500u
#define LAST_ASK_MS (2 * PERIOD_MS) /* a caller is told before its patience ends */

static bool takes_part(const bridge_line_t *line, unsigned port) {
  return line->port && (port == 0 || line->number == port);
}

static bool is_under_way(const bridge_line_t *line) {
  return line->search.state == DISCOVERY_RUNNING || line->search.state == DISCOVERY_PAUSED;
}

/* Of several lines the liveliest speaks. */
static robot_discovery_state_t state_of(const bridge_t *bridge, unsigned port) {
  static const discovery_state_t order[] = {DISCOVERY_RUNNING, DISCOVERY_PAUSED, DISCOVERY_FAILED,
                                            DISCOVERY_STOPPED, DISCOVERY_DONE};
  for (size_t k = 0; k < sizeof order / sizeof order[0]; k++)
    for (size_t i = 0; i < bridge->line_count; i++)
      if (takes_part(&bridge->lines[i], port) && bridge->lines[i].search.state == order[k])
        return (robot_discovery_state_t)order[k];
  return ROBOT_DISCOVERY_STATE_IDLE;
}

static void describe(robot_discovery_t *out, unsigned asked, unsigned size) {
  const char *found = out->found == 1 ? "module" : "modules";
  switch (out->state) {
  case ROBOT_DISCOVERY_STATE_IDLE:
    (void)snprintf(out->detail, sizeof out->detail, "no line has been searched yet");
    break;
  case ROBOT_DISCOVERY_STATE_FAILED:
    (void)snprintf(
        out->detail, sizeof out->detail,
        "the line was lost after %u of %u addresses; it is searched anew when it is back", asked,
        size);
    break;
  default:
    (void)snprintf(out->detail, sizeof out->detail, "%u of %u addresses asked, %u %s found, %u %s",
                   asked, size, out->found, found, out->conflicts_count,
                   out->conflicts_count == 1 ? "conflict" : "conflicts");
  }
}

static void fill(const bridge_t *bridge, unsigned port, robot_discovery_t *out) {
  const uint32_t most = sizeof out->conflicts / sizeof out->conflicts[0];
  unsigned asked = 0, size = 0;
  *out = (robot_discovery_t){.state = state_of(bridge, port)};
  for (size_t i = 0; i < bridge->line_count; i++) {
    const discovery_view_t *view = &bridge->lines[i].search;
    if (!takes_part(&bridge->lines[i], port) || view->state == DISCOVERY_IDLE) continue;
    asked += view->asked;
    size += view->last - view->first + 1u;
    out->found = (uint16_t)(out->found + view->found);
    if (out->address == 0) out->address = view->address;
    for (uint32_t k = 0; k < view->conflict_count && out->conflicts_count < most; k++)
      out->conflicts[out->conflicts_count++] = view->conflicts[k];
  }
  out->progress = size ? (double)asked / size : 0.0;
  out->has_started = bridge->search_began_ns != 0;
  out->started = bridge->search_began_ns;
  out->has_ended = bridge->search_ended_ns != 0;
  out->ended = bridge->search_ended_ns;
  describe(out, asked, size);
}

static void publish(bridge_t *bridge) {
  robot_discovery_t out;
  fill(bridge, 0, &out);
  (void)bus_publish(bridge->service->bus, TOPIC_ROBOT_DISCOVERY, NULL, &out);
}

/* A caller of robot.discover is answered once no line is searched any more. */
static void answer(bridge_t *bridge) {
  rpc_context_t *call = bridge->discovering;
  if (!call) return;
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    bool begun = line->search.run >= line->search_run;
    if (line->open && (is_under_way(line) || !begun)) return;
  }
  bridge->discovering = NULL;
  on_modules(call, NULL, bridge);
}

static void end(bridge_t *bridge) {
  robot_discovery_t out;
  fill(bridge, 0, &out);
  log_info("DISCOVERY-ENDED", "%s", out.detail);
  bridge_event(bridge, "DISCOVERY-ENDED", SYS_CATEGORY_MODULE, SYS_SEVERITY_INFO, "robot",
               out.detail);
}

void bridge_follow_search(bridge_t *bridge) {
  int state = (int)state_of(bridge, 0), before = bridge->search_state;
  bool runs = state == DISCOVERY_RUNNING || state == DISCOVERY_PAUSED;
  bool ran = before == DISCOVERY_RUNNING || before == DISCOVERY_PAUSED;
  bridge->search_state = state;
  if (runs && !ran) {
    bridge->search_began_ns = clock_wall_ns();
    bridge->search_ended_ns = 0;
  }
  if (!runs && ran) bridge->search_ended_ns = clock_wall_ns();
  if (!runs && ran) end(bridge);
  if (state != before) publish(bridge);
  answer(bridge);
}

void bridge_on_search_tick(void *arg) {
  bridge_t *bridge = arg;
  if (bridge->search_state == DISCOVERY_RUNNING || bridge->search_state == DISCOVERY_PAUSED)
    publish(bridge);
  rpc_context_t *call = bridge->discovering;
  if (!call || rpc_left_ms(call) > LAST_ASK_MS) return;
  bridge->discovering = NULL;
  rpc_fail(call, GANTRY_E_TIMEOUT, "", "the search goes on; robot.discovery says how far it is");
}

static bool order(bridge_line_t *line, port_search_t search, uint8_t first, uint8_t last) {
  if (!port_search(line->port, search, first, last)) return false;
  /* What the port will say in a moment. */
  discovery_view_t *view = &line->search;
  if (search == SEARCH_START) {
    line->search_run = view->run + 1;
    *view = (discovery_view_t){.state = DISCOVERY_RUNNING,
                               .run = view->run,
                               .first = first ? first : line->cfg.first_address,
                               .last = last ? last : line->cfg.last_address};
  } else if (search == SEARCH_STOP && is_under_way(line)) {
    view->state = DISCOVERY_STOPPED;
  } else if (search == SEARCH_PAUSE && view->state == DISCOVERY_RUNNING) {
    view->state = DISCOVERY_PAUSED;
  } else if (search == SEARCH_RESUME && view->state == DISCOVERY_PAUSED) {
    view->state = DISCOVERY_RUNNING;
  }
  return true;
}

/* Orders all lines that take part and are open. False when none took it. */
static bool order_lines(bridge_t *bridge, unsigned port, port_search_t search, uint8_t first,
                        uint8_t last) {
  bool taken = false;
  for (size_t i = 0; i < bridge->line_count; i++) {
    bridge_line_t *line = &bridge->lines[i];
    if (takes_part(line, port) && line->open) taken |= order(line, search, first, last);
  }
  bridge_follow_search(bridge);
  return taken;
}

void on_discover(rpc_context_t *call, const void *takes, void *arg) {
  (void)takes;
  bridge_t *bridge = arg;
  if (bridge->discovering || robot_may_move(&bridge->robot))
    rpc_fail(call, GANTRY_E_CONFLICT, "", "%s",
             bridge->discovering ? "a discovery runs already" : "the robot moves; stop it first");
  else if (order_lines(bridge, 0, SEARCH_START, 0, 0))
    bridge->discovering = call;
  else
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "no RS485 line is open: %s", bridge->lines[0].detail);
}

/* True when set's start is refused. */
static bool refuse_start(const bridge_t *bridge, rpc_context_t *call,
                         const robot_discovery_set_t *set, unsigned port) {
  robot_discovery_state_t state = state_of(bridge, port);
  for (size_t i = 0; i < bridge->line_count; i++) {
    const bridge_line_t *line = &bridge->lines[i];
    uint8_t first = set->has_first ? set->first : line->cfg.first_address;
    uint8_t last = set->has_last ? set->last : line->cfg.last_address;
    if (!takes_part(line, port) || first <= last) continue;
    rpc_fail(call, GANTRY_E_INVALID, "first", "the first address, %u, lies behind the last, %u",
             first, last);
    return true;
  }
  bool under_way = state == ROBOT_DISCOVERY_STATE_RUNNING || state == ROBOT_DISCOVERY_STATE_PAUSED;
  if (under_way)
    rpc_fail(call, GANTRY_E_CONFLICT, "action", "a search is under way; stop it first");
  else if (robot_may_move(&bridge->robot))
    rpc_fail(call, GANTRY_E_CONFLICT, "action", "the robot moves; stop it first");
  return under_way || robot_may_move(&bridge->robot);
}

void on_discovery(rpc_context_t *call, const void *takes, void *arg) {
  static const port_search_t orders[] = {[ROBOT_DISCOVERY_ACTION_START] = SEARCH_START,
                                         [ROBOT_DISCOVERY_ACTION_STOP] = SEARCH_STOP,
                                         [ROBOT_DISCOVERY_ACTION_PAUSE] = SEARCH_PAUSE,
                                         [ROBOT_DISCOVERY_ACTION_RESUME] = SEARCH_RESUME};
  bridge_t *bridge = arg;
  const robot_discovery_set_t *set = takes;
  unsigned port = set->has_port ? set->port : 0;
  robot_discovery_action_t action = set->action;
  robot_discovery_t out;
  if (port != 0 && !bridge_line(bridge, port)) {
    rpc_fail(call, GANTRY_E_INVALID, "port", "there is no line %u", port);
    return;
  }
  if (action == ROBOT_DISCOVERY_ACTION_START && refuse_start(bridge, call, set, port)) return;
  if (action != ROBOT_DISCOVERY_ACTION_STATUS &&
      !order_lines(bridge, port, orders[action], set->has_first ? set->first : 0,
                   set->has_last ? set->last : 0)) {
    rpc_fail(call, GANTRY_E_UNAVAILABLE, "", "no RS485 line is open: %s",
             bridge->lines[port ? port - 1 : 0].detail);
    return;
  }
  fill(bridge, port, &out);
  rpc_reply(call, &out);
}

gantry_err_t bridge_search_start(bridge_t *bridge) {
  rpc_server_t *server = bridge->service->server;
  bridge->search_timer =
      loop_every(bridge->service->loop, PERIOD_MS, bridge_on_search_tick, bridge);
  publish(bridge); /* where no line ever opens, nothing else would say how the search goes */
  GANTRY_TRY(rpc_serve(server, REQUEST_ROBOT_DISCOVER, on_discover, bridge));
  return rpc_serve(server, REQUEST_ROBOT_DISCOVERY, on_discovery, bridge);
}
