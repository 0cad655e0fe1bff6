# Starting, watching and stopping of the suite's processes for scripts/run. Sourced, not run.
# shellcheck shell=bash disable=SC2154

declare -A service_of=() restarts=() started=()
stopping=no simulator='' introducer='' exit_code=0

# A folder for sockets and ptys: in the data folder unless its name is too long for a socket address (107 bytes).
run_folder() {
  run=$1/run
  if [ ${#run} -gt 70 ]; then run=$(mktemp -d "${TMPDIR:-/tmp}/gantry-XXXXXX"); fi
  mkdir -p "$run" && chmod 700 "$run"
  rm -f "$run"/*.pid
}

# Somebody listens on this port already: a connection is accepted.
port_is_free() { ! (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# A run that was killed leaves its processes behind, with the devices and sockets in their hands. They are known by
# their pid files, and only touched when program and data folder are still the same: a pid may long be another's.
stop_leftovers() {
  local old=$data/run file name pid left=() tries
  [ -f "$data/bus" ] && old=$(sed 's,^ipc://,,' "$data/bus")
  for file in "$old"/*.pid; do
    [ -f "$file" ] || continue
    pid=$(cat "$file") name=$(basename "$file" .pid)
    [ "$name" = simulator ] && name=gantry-sim
    is_ours "$pid" "$name" && left+=("$pid")
  done
  [ ${#left[@]} -gt 0 ] || return 0
  say "Stopping ${#left[@]} processes that an earlier run left behind ..."
  kill -TERM "${left[@]}" 2>/dev/null
  for ((tries = 0; tries < 50; tries++)); do
    kill -0 "${left[@]}" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "${left[@]}" 2>/dev/null
  sleep 0.2
}

is_ours() { # PID PROGRAM
  local program
  program=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
  [ "$(basename "${program% (deleted)}")" = "$2" ] && tr '\0' '\n' <"/proc/$1/environ" 2>/dev/null | grep -qxF "GANTRY_DATA=$data"
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

# The sentence of a service's last log line.
last_word() { tail -n 1 "$data/logs/$1.log" | sed 's/.*"msg":"\(.*\)".*/\1/'; }

on_exit_of() { # SERVICE CODE
  local service=$1 code=$2
  case $code in
  64 | 78)
    say "$service refuses its settings (exit $code): $(last_word "$service")"
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
  sleep "$(delay_of "$n")" 9>&- &
  service_of[$!]=restart:$service
}

on_end_of() { # PID: of a service, or of the pause before its restart
  local pid=$1 code name=${service_of[$1]}
  { wait "$pid"; } 2>/dev/null # without the shell's own word on killed children
  code=$?
  unset "service_of[$pid]"
  case $name in
  restart:*) start_service "${name#restart:}" ;;
  *) on_exit_of "$name" "$code" ;;
  esac
}

# Looks after the children until a signal comes, then stops everything. `wait -n` only wakes: of two children that die
# together it names one, so all are looked at, and every two seconds in any case.
supervise() {
  local pid tick=''
  while [ $stopping = no ]; do
    if ! kill -0 "$tick" 2>/dev/null; then
      sleep 2 9>&- &
      tick=$!
    fi
    { wait -n; } 2>/dev/null
    [ $stopping = yes ] && break
    for pid in "${!service_of[@]}"; do
      kill -0 "$pid" 2>/dev/null || on_end_of "$pid"
    done
    if [ -n "$simulator" ] && ! kill -0 "$simulator" 2>/dev/null; then
      say "The simulator ended: see $data/logs/simulator.log"
      simulator=''
    fi
    if [ ${#service_of[@]} -eq 0 ]; then
      say "No service is left."
      exit_code=1 stopping=yes
    fi
  done
  kill "$tick" 2>/dev/null
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
  [ "$run" = "$data/run" ] || rm -rf "$run"
  say "Stopped. Nothing is lost: the data is in $data."
  exit $exit_code
}

# One word on the suite's health, and why if it is not well: "degraded rs485-bridge: ...". Nothing when nobody answers.
health_of() {
  curl -s -m 2 "$1/health" | /usr/bin/python3 -c \
    'import json,sys; health = json.load(sys.stdin); print(health["status"], health.get("error") or "")' 2>/dev/null
}

# Waits until the suite is healthy, then tells the user where everything is. Real devices may be missing for long: what
# is known is said after five seconds.
introduce() {
  local address='' health='' tries patience=300
  [ "$simulate" = no ] && patience=50
  for ((tries = 0; tries < patience; tries++)); do
    if [ -f "$data/gateway.port" ]; then
      address=http://127.0.0.1:$(cat "$data/gateway.port")
      health=$(health_of "$address")
      [ "${health%% *}" = healthy ] && break
    fi
    sleep 0.1
  done
  if [ -z "$health" ]; then
    say "The gateway does not answer. Logs: $data/logs"
    return
  fi
  say
  say "Gantry runs.   $address   (API: $address/docs)"
  [ "${health%% *}" = healthy ] || say "Not healthy:   $health"
  local tries
  for ((tries = 0; tries < 150; tries++)); do # written before its user is stored, and named then
    [ -f "$data/first-password.new" ] || break
    sleep 0.1
  done
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
    "$bin/tools/gantry/gantry" call store.tag_put "$tag" >/dev/null 2>&1 || break # stopped meanwhile
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
  /usr/bin/python3 "$ROOT/scripts/lib/plant.py" "$run/control" --replayed 2>>"$data/logs/run.log" || return
  sleep 1 # the last scan is on its way through the services
  local answer
  if answer=$("$bin/tools/gantry/gantry" call map.stop 2>&1); then
    say "Map stored: $answer"
  else
    say "The map could not be stored: $answer"
  fi
}
