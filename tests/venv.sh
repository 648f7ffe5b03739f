#!/bin/sh
# Makes the virtual environment: $1 is the Python to use, $2 the folder. Says the one command that is missing, if one is.
set -eu
python=$1
venv=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Catchment needs Python 3.11 or later; $("$python" --version) is $python. Name another: make PYTHON=python3.12 setup" >&2
  exit 1
}

if ! "$python" -c 'import ensurepip' 2>/dev/null; then
  package="python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing $package, which makes virtual environments"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >/dev/null ||
      { apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package" >/dev/null; }
  else
    echo "Python cannot make virtual environments here. Run this once: sudo apt-get install $package" >&2
    exit 1
  fi
fi

[ -x "$venv/bin/python" ] || { echo "making $venv"; "$python" -m venv "$venv"; }
echo "installing what requirements.lock names"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
echo "compiling the decoder (once)"
# Bytecode is kept here whatever the environment says: without it, every start of the daemon compiles its libraries anew.
unset PYTHONDONTWRITEBYTECODE
"$venv/bin/python" -m collector.bmp.warm
"$venv/bin/python" -c 'import pipeline.daemon, pipeline.cli.app, pipeline.cli.decode, pipeline.cli.demo, lab.lifecycle'
