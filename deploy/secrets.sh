#!/bin/sh
# Makes secrets/: a password or a token a file, from the kernel's random numbers; one that is there stays as it is.
# Nobody but the owner gets into the folder. The files themselves may be read by anybody who is let in: a container sees
# one file of it, under /run/secrets, as a user whom this machine may not know.
set -eu
mkdir -p secrets agents
chmod 700 secrets
for name in influx-token influx-password grafana-password grafana-key; do
  [ -s "secrets/$name" ] && continue
  (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"secrets/$name.part")
  chmod 444 "secrets/$name.part"
  mv "secrets/$name.part" "secrets/$name"
  echo "made secrets/$name"
done
