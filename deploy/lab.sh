#!/bin/sh
# In the lab's container: brings the network up, runs Catchment on it, and keeps things happening while it runs.
set -u
umask 022 # FRR's own user must get through
NUMBA_CACHE_DIR=/opt/catchment/numba
export NUMBA_CACHE_DIR
watch=

end() {
  [ -n "$watch" ] && kill "$watch" 2>/dev/null && wait "$watch"
  catchment lab down
  exit "$1"
}
trap 'end 0' TERM INT

# A container that was killed leaves nothing behind in its namespaces, but its volumes may know of it.
catchment lab down >/dev/null 2>&1
catchment lab up --probes || end 1
catchment lab watch --data /data --host 0.0.0.0 --more /etc/catchment/more.yaml &
watch=$!

# Sleeps are waited for, so that a signal is heard at once.
pause() {
  sleep "$1" &
  wait $!
  kill -0 "$watch" 2>/dev/null || end 1
}

pause "${LAB_CALM:-60}"
while :; do
  for fault in withdraw lossy-leg flap latency session-down blackhole change-local-pref kill-app noise hijack; do
    catchment lab fault "$fault"
    pause "${LAB_FAULT:-60}"
    catchment lab heal
    pause "${LAB_CALM:-60}"
  done
done
