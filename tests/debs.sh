#!/usr/bin/env bash
# Tests the Debian packages that ./dev debs makes. debs.sh DEBS WORK unpacks them into a folder
# below WORK and uses them from there. debs.sh --clean-root DEBS WORK installs them by apt in a new
# root of Debian, which debootstrap makes (as root, from the network), and uses them there.
set -euo pipefail

readonly source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Lintian's remarks on what only packages of Debian itself have, and on what cpack writes by itself.
readonly not_ours=initial-upload-closes-no-bugs,maintscript-calls-ldconfig
readonly needed_by_consumers=(g++ cmake make pkgconf)

die() { printf 'debs: %s\n' "$*" >&2; exit 1; }

# What the packages say of themselves.
check() {
  local debs=("$1"/*.deb) names
  names=$(for deb in "${debs[@]}"; do dpkg-deb -f "$deb" Package; done | sort | xargs)
  [[ $names =~ ^libobliq-dev\ libobliq[0-9.]+\ obliq$ ]] || die "not the three packages: $names"
  for name in libfmt libgomp1 libstdc++6 libc6; do
    dpkg-deb -f "$1"/libobliq[0-9]*.deb Depends | grep -qF "$name" || die "libobliq lacks $name"
  done
  dpkg-deb -f "$1"/obliq_*.deb Depends | grep -q libhdf5 || die "obliq does not depend on HDF5"
  if command -v lintian >/dev/null; then
    lintian --fail-on error,warning --suppress-tags "$not_ours" "${debs[@]}"
  else
    echo "NOT CHECKED by lintian, which is not here"
  fi
}

# Runs the command, and builds and runs the consumer as CMake and as pkg-config tell, with what is
# installed below `root`. The sources of obliq at `from` lend the sample and the consumer alone.
use() {
  local root=$1 from=$2 work=$3
  rm -rf "$work"
  mkdir -p "$work"
  "$root/usr/bin/obliq" --version
  "$root/usr/bin/obliq" demo --data "$from/datasets/sample/sample-384-angular.hdf5" \
    --against none --queries 50 --out "$work/demo" >"$work/demo.txt"
  grep -q recall "$work/demo.txt" || die "obliq demo tells no recall: $work/demo.txt"
  cmake -S "$from/tests/consumer" -B "$work/build" -D CMAKE_PREFIX_PATH="$root/usr" >/dev/null
  cmake --build "$work/build"
  "$work/build/consumer"
  # shellcheck disable=SC2046
  g++ -std=c++20 "$from/tests/consumer/main.cc" -o "$work/consumer" \
    $(pkg-config --cflags --libs obliq)
  "$work/consumer"
  [ "$(pkg-config --modversion obliq)" = "$("$root/usr/bin/obliq" --version |
    grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" ] || die "versions differ"
}

# The search path of libraries stands for the dynamic linker's cache, which holds no such folder.
use_unpacked() {
  local debs=$1 work=$2 root=$2/root libraries
  rm -rf "$root"
  mkdir -p "$root"
  for deb in "$debs"/*.deb; do dpkg -x "$deb" "$root"; done
  libraries=$(dirname "$(find "$root" -name libobliq.so)")
  LD_LIBRARY_PATH=$libraries PKG_CONFIG_PATH=$libraries/pkgconfig use "$root" "$source" "$work/use"
}

use_in_clean_root() {
  local debs=$1 root=$2/clean release
  [ "$(id -u)" -eq 0 ] || die "--clean-root makes a root, which takes root"
  rm -rf "$root"
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  debootstrap --variant=minbase "$release" "$root" >/dev/null
  mkdir -p "$root/obliq/tests" "$root/obliq/datasets" "$root/debs"
  cp "$debs"/*.deb "$root/debs"
  cp -r "$source/tests/consumer" "$source/tests/debs.sh" "$root/obliq/tests"
  cp -r "$source/datasets/sample" "$root/obliq/datasets"
  # The installed packages alone bring what the command runs with; what compiles comes after it.
  chroot "$root" sh -euc 'apt-get install -qq -y --no-install-recommends /debs/*.deb >/dev/null
    obliq --version'
  chroot "$root" apt-get install -qq -y --no-install-recommends "${needed_by_consumers[@]}" \
    >/dev/null
  chroot "$root" bash /obliq/tests/debs.sh --use
  chroot "$root" apt-get purge -qq -y obliq 'libobliq*' >/dev/null
  [ -z "$(find "$root/usr" -name '*obliq*')" ] || die "removed packages leave files"
  rm -rf "$root"
}

[ "$1" = --use ] || mkdir -p "${@: -1}"
case $1 in
  --use) use "" /obliq /tmp/use ;;
  --clean-root) check "$2"; use_in_clean_root "$2" "$(realpath "$3")" ;;
  *) check "$1"; use_unpacked "$1" "$(realpath "$2")" ;;
esac
echo "the packages work"
