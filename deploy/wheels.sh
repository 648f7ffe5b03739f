#!/bin/sh
# Fills wheels/ with what the images install: what the package needs at run time and what builds it, as requirements.lock
# pins it, for the Python of Debian bookworm. $1 is the virtual environment; CATCHMENT_ARCH another processor (aarch64).
set -eu
bin=$1/bin
arch=${CATCHMENT_ARCH:-$(uname -m)}
[ "$arch" = arm64 ] && arch=aarch64

mkdir -p wheels
echo hatchling >wheels/build.in
# The lock has what tests need, too; here it only pins.
"$bin/uv" pip compile --quiet --generate-hashes --no-emit-index-url --no-header --no-annotate --python-version 3.11 \
  --python-platform "$arch-unknown-linux-gnu" --constraint requirements.lock pyproject.toml wheels/build.in \
  --output-file wheels/requirements.txt
rm wheels/build.in

platforms=
for glibc in 5 12 17 24 26 27 28 31 34 35 36; do platforms="$platforms --platform manylinux_2_${glibc}_$arch"; done
for old in 1 2010 2014; do platforms="$platforms --platform manylinux${old}_$arch"; done
# shellcheck disable=SC2086 # several words
"$bin/python" -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: --no-deps \
  --implementation cp --python-version 3.11 --abi cp311 --abi abi3 --abi none $platforms \
  --dest wheels --requirement wheels/requirements.txt

# What the lock pinned before goes: the folder holds nothing but what is installed.
for wheel in wheels/*.whl; do
  name=$(basename "$wheel" | cut -d- -f1 | tr '[:upper:]_.' '[:lower:]--')
  version=$(basename "$wheel" | cut -d- -f2)
  grep -qiE "^$name==$version( |\$)" wheels/requirements.txt || rm "$wheel"
done
echo "wheels/ has $(ls wheels/*.whl | wc -l) wheels for Python 3.11 on $arch"
