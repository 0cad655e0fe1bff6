# Starting, watching and stopping of the suite's processes for scripts/run. Sourced, not run.
# shellcheck shell=bash disable=SC2154

declare -A service_of=() restarts=() started=()
stopping=no simulator='' introducer=''

# A folder for sockets and ptys: in the data folder unless its name is too long for a socket address (107 bytes).
run_folder() {
  run=$1/run
  if [ ${#run} -gt 70 ]; then run=$(mktemp -d "${TMPDIR:-/tmp}/gantry-XXXXXX"); fi
  mkdir -p "$run" && chmod 700 "$run"
  rm -f "$run"/*.pid
}

start_simulator() {
  local options=(--rs485 "$run/rs485" --lidar "$run/lidar" --control "$run/control" --seed "$seed" --realtime)
  [ -n "$replay" ] && options+=(--replay "$replay" --pace "$pace")
  "$bin/tools/sim/gantry-sim" "${options[@]}" ${GANTRY_SIM_OPTIONS:-} 2>>"$data/logs/simulator.log" >&2 9>&- &
  simulator=$!
  printf '%s\n' "$simulator" >"$run/simulator.pid"
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    [ -e "$run/rs485" ] && [ -e "$run/lidar" ] && return 0
    kill -0 "$simulator" 2>/dev/null || break
    sleep 0.02
  done
  tail -n 5 "$data/logs/simulator.log" >&2
  die "the simulator did not start; its log is $data/logs/simulator.log"
}

start_service() {
  local service=$1
  # Started again, the gateway keeps the port its clients know.
  [ "$service" = api-gateway ] && [ -f "$data/gateway.port" ] && GANTRY_API_GATEWAY_PORT=$(cat "$data/gateway.port")
  GANTRY_RESTARTS=${restarts[$service]:-0} "$bin/services/$service/$service" >>"$data/logs/$service.log" 2>&1 9>&- &
  service_of[$!]=$service
  started[$service]=$SECONDS
  printf '%s\n' "$!" >"$run/$service.pid"
}

# Back-off in seconds after the n-th restart; one that held for a minute starts afresh.
delay_of() {
  local delays=(0.2 0.5 1 2 5)
  local n=$1
  ((n > 4)) && n=4
  printf '%s' "${delays[$n]}"
}

on_exit_of() { # SERVICE CODE
  local service=$1 code=$2
  case $code in
  64 | 78)
    say "$service refuses its settings (exit $code): $(tail -n 1 "$data/logs/$service.log")"
    say "It is left down; mend the settings and start again."
    return
    ;;
  esac
  if [ "$restart" = no ]; then
    say "$service ended with code $code and is left down (--no-restart)"
    return
  fi
  local n=${restarts[$service]:-0}
  restarts[$service]=$((n + 1))
  ((SECONDS - started[$service] > 60)) && n=0
  say "$service ended with code $code; starting it again (restart ${restarts[$service]})"
  sleep "$(delay_of "$n")" &
  service_of[$!]=restart:$service
}

# Waits for children until a signal comes, then stops everything.
supervise() {
  local pid code name
  while [ $stopping = no ]; do
    pid=''
    wait -n -p pid
    code=$?
    [ -z "${pid:-}" ] && continue
    name=${service_of[$pid]:-}
    unset "service_of[$pid]"
    case $name in
    restart:*) start_service "${name#restart:}" ;;
    '') [ "$pid" = "$simulator" ] && [ $stopping = no ] && say "The simulator ended (code $code): see $data/logs/simulator.log" && simulator='' ;;
    *) [ $stopping = no ] && on_exit_of "$name" "$code" ;;
    esac
  done
  stop_all
}

stop_all() {
  say "Stopping ..."
  local pid tries
  [ -n "$introducer" ] && kill "$introducer" 2>/dev/null
  for pid in "${!service_of[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for ((tries = 0; tries < 50; tries++)); do
    local alive=no
    for pid in "${!service_of[@]}"; do kill -0 "$pid" 2>/dev/null && alive=yes; done
    [ $alive = no ] && break
    sleep 0.1
  done
  for pid in "${!service_of[@]}"; do
    kill -KILL "$pid" 2>/dev/null && say "${service_of[$pid]} did not stop in time and was killed"
  done
  [ -n "$simulator" ] && kill -TERM "$simulator" 2>/dev/null
  wait
  rm -f "$data/bus" "$run"/*.pid
  say "Stopped. Nothing is lost: the data is in $data."
  exit 0
}

# Waits until the suite is healthy, then tells the user where everything is.
introduce() {
  local address health tries state=''
  for ((tries = 0; tries < 300; tries++)); do
    if [ -f "$data/gateway.port" ]; then
      address=http://127.0.0.1:$(cat "$data/gateway.port")
      health=$(curl -s -m 2 "$address/health")
      state=$(printf '%s' "$health" | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])' 2>/dev/null)
      [ "$state" = healthy ] && break
    fi
    sleep 0.1
  done
  if [ "$state" != healthy ]; then
    say "Not healthy after 30 s: $(printf '%s' "${health:-no answer}" | head -c 400)"
    say "Logs: $data/logs"
    return
  fi
  say
  say "Gantry runs.   $address   (API: $address/docs)"
  if [ -f "$data/first-password" ]; then
    say "First login:   admin / $(cat "$data/first-password")   (shown once; change it)"
    rm -f "$data/first-password"
  fi
  say "Data and logs: $data, $data/logs"
  say "Command line:  scripts/gantry ping   (more: scripts/gantry --help)"
  say "Stop:          Ctrl-C"
  [ "$simulate" = yes ] && survey
  [ -n "$replay" ] && map_replay
  return 0
}

# The simulated rail's tags, as an integrator would enter surveyed ones; only into an empty table.
survey() {
  [ -n "$replay" ] && return
  "$bin/tools/gantry/gantry" call store.tags | grep -q '"tags":\[\]' || return
  "$bin/tools/sim/gantry-sim" --print-tags | /usr/bin/python3 "$ROOT/scripts/lib/tags.py" | while read -r tag; do
    "$bin/tools/gantry/gantry" call store.tag_put "$tag" >/dev/null
  done
}

# Starts the map of a replayed log, once the mapper and those it listens to are there.
begin_map() {
  local tries name
  name=$(basename "$replay" | sed 's/\.gz$//; s/\.clf$//; s/\.raw$//' | tr -cd '[:alnum:] ._-')
  for ((tries = 0; tries < 100; tries++)); do
    "$bin/tools/gantry/gantry" ping sensor-processor localization mapper storage >/dev/null 2>&1 &&
      "$bin/tools/gantry/gantry" call map.start "{\"name\":\"$name\",\"resolution\":0.05,\"width\":1000,\"height\":1000}" \
        >/dev/null 2>&1 && return
    sleep 0.1
  done
  say "The mapper did not take the replay's map; see $data/logs/mapper.log"
}

# Waits for the end of the log, then stores its map.
map_replay() {
  /usr/bin/python3 "$ROOT/scripts/lib/plant.py" "$run/control" --replayed || return
  sleep 1 # the last scan is on its way through the services
  local answer
  if answer=$("$bin/tools/gantry/gantry" call map.stop 2>&1); then
    say "Map stored: $answer"
  else
    say "The map could not be stored: $answer"
  fi
}
