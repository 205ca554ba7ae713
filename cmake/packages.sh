# Packages that ./dev makes, which reads this file: wheels, the package of sources, and Debian
# packages. And the stored description of the C interface.

# --- wheels ------------------------------------------------------------------------------------

# Builds the wheel, with libgomp put inside: it then needs the C and C++ runtimes alone. It is for
# the Python that runs here (from 3.12 on for later ones too) and every CPU of this architecture.
# Its sources are here or in `source`. Wheels of other Pythons stay; tools and build folders are
# kept for each.
wheel() {
  local source=${1:-.} version tools made name
  version=$("$base_python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  tools=build/wheel_tools/$version made=build/wheels/made-$version
  install_packages "${build_packages[@]}" binutils
  install_python "$tools" "${wheel_packages[@]}"
  rm -rf "$made"
  # The compilers' names are those of other builds, so that ccache knows what they have made.
  PATH="$PWD/$tools/bin:$PATH" CMAKE_BUILD_PARALLEL_LEVEL=$jobs CC=${CC:-cc} CXX=${CXX:-c++} \
    "$tools/bin/python" -m pip wheel "$source" --quiet --no-deps --no-build-isolation \
    --disable-pip-version-check --config-settings=cmake.define.OBLIQ_WERROR=ON \
    --wheel-dir "$made/plain"
  PATH="$PWD/$tools/bin:$PATH" \
    "$tools/bin/python" -m auditwheel repair --wheel-dir "$made/repaired" "$made"/plain/*.whl
  name=$(basename "$made"/repaired/*.whl)
  # obliq-VERSION-PYTHON-ABI-PLATFORM: other versions and platforms of the same Python give way.
  rm -f build/wheels/obliq-*-"$(cut -d- -f3,4 <<<"$name")"-*.whl
  mv "$made/repaired/$name" build/wheels
  rm -rf "$made"
  say "built build/wheels/$name"
}

# The package of sources, and its files in build/sdist/obliq-VERSION; what git knows of the library
# must be among them.
sdist() {
  local version tools file
  version=$("$base_python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  tools=build/wheel_tools/$version
  install_python "$tools" "${wheel_packages[@]}"
  rm -rf build/sdist
  "$tools/bin/python" -c 'import scikit_build_core.build as build; build.build_sdist("build/sdist")'
  tar -xzf build/sdist/obliq-*.tar.gz -C build/sdist
  git ls-files CMakeLists.txt pyproject.toml README.md LICENSE include core quant storage index \
    collection capi cmake python/CMakeLists.txt 'python/*.cc' 'python/*.h' python/obliq |
    while read -r file; do
      [ -f build/sdist/obliq-*/"$file" ] || die "the source package lacks $file"
    done
  say "made $(echo build/sdist/obliq-*.tar.gz)"
}

# Configures what the source package holds as pip does; whether it compiles ./dev wheels tells.
configure_sdist() {
  sdist
  cmake -S build/sdist/obliq-*/ -B build/sdist/build -G Ninja -D OBLIQ_EMBED_FMT=ON \
    -D OBLIQ_TESTS=OFF -D OBLIQ_TOOLS=OFF -D OBLIQ_DATASETS=OFF -D OBLIQ_BENCH=OFF
}

# The Pythons here that wheels are for, one a line: of each version one, on the path or of pyenv.
pythons_here() {
  local minor place
  for minor in 9 10 11 12 13 14; do
    for place in "$(command -v "python3.$minor")" ~/.pyenv/versions/"3.$minor".*/bin/python; do
      if [ -x "$place" ] && "$place" -c '' 2>/dev/null; then
        printf '%s\n' "$place"
        break
      fi
    done
  done
}

# Builds the source package, and of that the wheels: one for each Python before 3.12, then one for
# all from 3.12 on. Tries each with each of its Pythons.
wheels() {
  local python minor source abi3="" builder
  sdist
  source=$(echo build/sdist/obliq-*/)
  for python in $(pythons_here); do
    minor=$("$python" -c 'import sys; print(sys.version_info[1])')
    if [ -z "$abi3" ]; then
      OBLIQ_PYTHON=$python ./dev wheel "$source"
      builder=$minor
    fi
    if [ "$minor" -ge 12 ]; then abi3=made; fi
    base_python=$python try_wheel "$minor" "$builder"
  done
  ls -l build/wheels
}

# Installs the wheel of this Python with NumPy alone, and searches. The name of the wheel tells the
# oldest system it is for, which auditwheel (of the Python that built it) has to find again in what
# the wheel holds.
try_wheel() {
  local minor=$1 fresh=build/wheel_tries/3.$1 tags="cp3$1-cp3$1" name
  if [ "$minor" -ge 12 ]; then tags=cp312-abi3; fi
  name=$(echo build/wheels/obliq-*-"$tags"-manylinux_*.whl)
  [ -f "$name" ] || die "there is no manylinux wheel for Python 3.$minor"
  PATH="$PWD/build/wheel_tools/3.$2/bin:$PATH" auditwheel show "$name" |
    tr '\n' ' ' | grep -qF "consistent with the following platform tag: \"manylinux_" ||
    die "$name is not what its name says"
  make_environment "$fresh"
  "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check "$name"
  "$fresh/bin/python" python/tests/old_cpu.py
  say "Python 3.$minor: $name works"
}

# --- Debian packages ---------------------------------------------------------------------------

# libobliqX.Y, libobliq-dev and obliq in build/debs.
debs() {
  install_packages "${build_packages[@]}" dpkg-dev file
  build release tools/obliq
  build package
  rm -rf build/debs
  cmake --build --preset package --target package
  mv build/package/debs build/debs
  say "made $(echo build/debs/*.deb)"
}

# --- the C interface ---------------------------------------------------------------------------

# Compares the C interface (functions, and the types of their parameters) with its description in
# tests/abi, which is of x86-64: a difference breaks programs that are linked already, unless it is
# a field more at the end of a struct that tells its size. --renew stores it anew.
abi() {
  local stored=tests/abi/obliq-x86_64.abi.gz made=build/abi
  if ! command -v abidw >/dev/null || [ "$(uname -m)" != x86_64 ]; then
    say "the C interface is NOT compared: abidw (package abigail-tools) is not here, or no x86-64"
    return
  fi
  if [ ! -d capi ]; then
    say "the C interface is NOT compared: it is not here"
    return
  fi
  build release obliq_abi
  mkdir -p "$made" tests/abi
  abidw --suppressions tests/abi/c_interface.suppr --no-show-locs --no-corpus-path \
    --no-comp-dir-path --out-file "$made/now.abi" build/release/tests/libobliq_abi.so
  if [ "${1:-}" = --renew ]; then
    gzip -9nc "$made/now.abi" >"$stored"
    say "stored $stored: $(stat -c %s "$stored") bytes"
    return
  fi
  gzip -dc "$stored" >"$made/stored.abi"
  abidiff --no-added-syms "$made/stored.abi" "$made/now.abi" ||
    die "the C interface has changed; if that is meant: ./dev abi --renew"
}
