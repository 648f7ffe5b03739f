#!/bin/sh
# Makes secrets/: a password or a token a file, from the kernel's random numbers; one that is there stays as it is. The
# token of InfluxDB is there once for each that reads it. Nobody but the owner gets into the folder, and a container sees
# only its own files, under /run/secrets. Run by root, each file is its reader's alone; else whoever is let in may read.
set -eu
mkdir -p secrets agents
chmod 700 secrets

give() { # FILE USER: to the one who reads it
  if [ "$(id -u)" = 0 ]; then
    chown "$2" "$1" && chmod 400 "$1"
  else
    chmod 444 "$1"
  fi
}

make() { # FILE USER
  [ -s "secrets/$1" ] && return
  (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"secrets/$1.part")
  give "secrets/$1.part" "$2"
  mv "secrets/$1.part" "secrets/$1"
  echo "made secrets/$1"
}

copy() { # FILE OF USER
  cmp -s "secrets/$1" "secrets/$2" && return
  rm -f "secrets/$1.part"
  (umask 077 && cat "secrets/$2" >"secrets/$1.part")
  give "secrets/$1.part" "$3"
  mv "secrets/$1.part" "secrets/$1"
  echo "made secrets/$1"
}

make influx-password 1000
make influx-token 1000
copy catchment-influx-token influx-token 65534
copy grafana-influx-token influx-token 472
make grafana-password 472
make grafana-key 472
