# The tests of ./dev, which reads this file: three runs (quick, all, long) made of steps. A step
# keeps its output in a log. At the end the steps that ran tests are counted together; the last line
# is "N passed, N failed". A step that fails stops nothing: one run tells everything.

failed_steps=()
passed_steps=0
summaries=()

# Runs a command in a shell of its own, its output into a log. Shows the log's end when it fails.
step() {
  local name=$1 start=$SECONDS status=0 log
  shift
  log=$(log_of "$name")
  printf '== %-34s ' "$name"
  set +e
  (set -e; "$@") >"$log" 2>&1
  status=$?
  set -e
  printf '%5d s  %s\n' $((SECONDS - start)) "$([ $status -eq 0 ] && echo ok || echo FAILED)"
  if [ $status -eq 0 ]; then
    passed_steps=$((passed_steps + 1))
  else
    failed_steps+=("$name")
    tail -n 60 "$log"
  fi
}

# A step that runs ctest on a preset; what it counted is kept for the summary.
test_step() {
  local name=$1 preset=$2
  shift 2
  step "$name" ctest --preset "$preset" --parallel "$jobs" --no-tests=error "$@"
  summaries+=("$name")
}

# The programs whose tests run many to a process: a process each costs more than most of them take,
# under sanitizers ten times as much. ctest on the release build gives each test its own.
readonly programs=(core kernels quant measure storage datasets index collection capi
                  threads)

# All but the suites that measure recall or memory of large builds: much of the time of all tests,
# for answers that smaller suites compare bit by bit at each level.
readonly all_but_large="-*KMeansBesideFaiss*:*SmallAngles*:*DefaultSearch*:*FewProbes*:\
*PlanBeyondTheTunedK*:*ManyDims*:*ScratchMemory*:*BuildMemory*:*QueriesOfAnotherSize*:\
*SampleRecall*:*TightClusters*:NearGroups.LeaveAtMost*:ListGroups.HardlyChange*"

# Under sanitizers: without those that measure errors or recall by much arithmetic, either, or do
# much of what others do, and with a quarter of the random operations on collections.
readonly all_sanitized="$all_but_large:Lattices/Z8.Reduce*:Query/QueryTable.*:*.HaveThePublished*:\
*.HasThePublished*:*RecallAtAnNprobeRises*:*KeepTheTargetRecall*:*ReachesTheRecall*:KeyModelTest.*:\
KeysTest.AreThereWhen*:Codes/UpdatedVectors.*/0:Codes/UpdatedVectors.*/2:*ALogOfChanges*:\
ListGroups.LeaveExhaustive*:Index/EverySpecAndMetric.*_cosine:Index/EverySpecAndMetric.*_ip"
readonly sanitized_operations=5000

# Shard `shard` of `shards` of one test program, its output to a log beside the program. Suites stay
# whole: many make an index first, for all of their tests.
run_shard() {
  local program=$1 shard=$2 shards=$3 suites
  suites=$("./${program}_tests" --gtest_list_tests | grep -o '^[^ ]*\.' |
    awk -v shard="$shard" -v shards="$shards" 'NR % shards == shard {printf ":%s*", $0}')
  [ -n "$suites" ] || return 0
  GTEST_FILTER=${suites#:}${GTEST_FILTER:-} \
    timeout 1800 "./${program}_tests" --gtest_brief=1 >"${program}_tests.$shard.log" 2>&1 ||
    { echo "$program, shard $shard of $shards: exit $?"; tail -n 40 "${program}_tests.$shard.log"; }
}

# Runs test programs of a preset, $jobs processes at a time, and says the result as ctest does. A
# test that was not told as passed or skipped has failed, so that a crash hides none.
run_programs() {
  local preset=$1 shards=$((4 * jobs)) program shard tests total=0 passed skipped
  shift
  cd "build/$preset/tests"
  rm -f ./*_tests.*.log
  for program in "$@"; do
    tests=$("./${program}_tests" --gtest_list_tests | grep -c '^  ')
    total=$((total + tests))
    for ((shard = 0; shard < shards; shard++)); do echo "$program $shard $shards"; done
  done >shards.txt
  export -f run_shard
  xargs -P "$jobs" -L 1 bash -c 'run_shard "$@"' run_shard <shards.txt
  passed=$(sum_of PASSED)
  skipped=$(sum_of SKIPPED)
  for ((tests = 0; tests < skipped; tests++)); do echo '***Skipped'; done
  [ "$total" -gt 0 ] || { echo "no tests in: $*"; return 1; }
  echo "$((100 * (passed + skipped) / total))% tests passed," \
    "$((total - passed - skipped)) tests failed out of $total"
  [ $((passed + skipped)) -eq "$total" ]
}

# The sum of "[  WORD  ] N test(s)" over the logs of all shards.
sum_of() {
  cat ./*_tests.*.log | sed -nE "s/^\[ +$1 +\] ([0-9]+) tests?[,.].*/\1/p" |
    awk '{sum += $1} END {print sum + 0}'
}

# A step that runs test programs of a preset; what it counted is kept for the summary.
program_step() {
  local name=$1
  shift
  step "$name" run_programs "$@"
  summaries+=("$name")
}

# Runs the tests at each instruction level of this CPU but the best, which runs anyhow; those of
# large builds run there alone.
test_levels() {
  local level levels
  [ -x build/release/tests/simd_levels ] || return 0  # the build has failed
  mapfile -t levels < <(build/release/tests/simd_levels)
  for level in "${levels[@]:0:${#levels[@]}-1}"; do
    OBLIQ_SIMD=$level GTEST_FILTER=$all_but_large program_step "tests at level $level" release \
      core kernels quant measure index threads
  done
}

# The numbers of all runs: "N passed, N failed". A step that failed without a test counts as one,
# and where no step ran tests each step does.
summarise() {
  local name log line total=0 failed=0 skipped=0 failed_before status=0
  for name in "${summaries[@]}"; do
    log=$(log_of "$name")
    line=$(grep -E '^[0-9]+% tests passed, [0-9]+ tests failed out of [0-9]+' "$log" || true)
    printf '%s: %s\n' "$name" "${line:-no tests ran}"
    [ -n "$line" ] || continue
    failed_before=$failed
    failed=$((failed + $(sed -E 's/.*, ([0-9]+) tests failed.*/\1/' <<<"$line")))
    total=$((total + ${line##* }))
    skipped=$((skipped + $(grep -c '\*\*\*Skipped' "$log" || true)))
    grep '^SKIPPED ' "$log" || true  # pytest's reasons
    [ "$failed" -eq "$failed_before" ] || status=1
  done
  [ ${#summaries[@]} -gt 0 ] || total=$passed_steps
  for name in "${failed_steps[@]}"; do
    status=1
    printf 'FAILED: %s, see %s\n' "$name" "$(log_of "$name")"
    grep -qE '^[0-9]+% tests passed, [1-9]' "$(log_of "$name")" ||
      { failed=$((failed + 1)); total=$((total + 1)); }
  done
  [ "$skipped" -eq 0 ] || printf '%d tests were skipped\n' "$skipped"
  printf '%d passed, %d failed\n' $((total - failed - skipped)) "$failed"
  return $status
}

run_tests() {
  local status=0
  [[ "$*" =~ ^(|--quick|--long( [1-9][0-9]*)?)$ ]] ||
    die "test takes --quick, --long [MINUTES] or nothing, not '$*'"
  # Test programs run side by side: threads that wait must not spin.
  export OMP_WAIT_POLICY=passive
  # As the preset of asan has it, for programs that ctest does not start.
  export LSAN_OPTIONS="suppressions=$PWD/tests/lsan.supp:print_suppressions=0"
  rm -rf "$logs"
  step "setup" install_packages "${build_packages[@]}" "${check_packages[@]}"
  use_ccache  # which that step may have brought
  case ${1:-} in
    --quick) quick_tests ;;
    --long) long_tests "${@:2}" ;;
    *) all_tests ;;
  esac
  say "all steps: $SECONDS s"
  summarise || status=1
  return $status
}

quick_tests() {
  step "layout" layout
  step "build release" build release
  test_step "tests release" release -LE '^(old_cpu|install)$'
}

all_tests() {
  step "lint" lint
  step "build release" build release
  test_step "tests release" release
  if command -v dpkg-deb >/dev/null; then
    step "Debian packages" debs
    step "use of Debian packages" tests/debs.sh build/debs build/debs_test
  fi
  test_levels
  step "build debug kernels" build debug obliq_core
  test_step "kernel objects of a debug build" debug -R '^kernel_objects'
  step "build clang" build clang kernels_tests
  test_step "kernels built by Clang" clang -L '^kernels$'
  step "build tsan" build tsan threads_tests
  test_step "threads under ThreadSanitizer" tsan -L '^threads$'
  step "build asan" build asan
  GTEST_FILTER=$all_sanitized OBLIQ_MODEL_OPERATIONS=$sanitized_operations \
    program_step "tests asan" asan "${programs[@]}"
  test_step "other tests asan" asan -LE "^($(IFS='|'; echo "${programs[*]}"))\$"
  if [ "$(uname -m)" = x86_64 ]; then
    step "build aarch64" build aarch64 kernels_tests core_tests
    # A death test starts its own program again, which an emulated one cannot do by itself.
    test_step "tests aarch64 emulated" aarch64 -L '^kernels$' -E DeathTest
    test_step "bits on aarch64 emulated" aarch64 -R '^(Platform|Half|Random|PortableLog)\.'
  fi
  test_wheel
}

# Runs the test program of threads of a preset over and over for some minutes, other random moments
# each time; at least once. The first run that fails ends it.
repeat_threads() {
  local preset=$1 end=$((SECONDS + 60 * $2)) runs=0
  # As ctest sets it: see CMakePresets.json.
  export TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1 second_deadlock_stack=1"
  while :; do
    timeout 1800 "build/$preset/tests/threads_tests" --gtest_brief=1 ||
      { echo "run $((runs + 1)): exit $?"; return 1; }
    runs=$((runs + 1))
    [ "$SECONDS" -lt "$end" ] || break
  done
  echo "$runs runs without a failure"
}

# Very many states after a power failure, others each time; one that fails tells the seed.
power_failures() {
  OBLIQ_CRASH_STATES=3000000 OBLIQ_CRASH_SEED=$RANDOM \
    build/release/tests/storage_tests --gtest_brief=1 --gtest_filter='PowerLoss.*'
}

# Tests of collections of this filter, many times as long as in every other run, with the settings
# that go before as NAME=VALUE. What they counted (cycles, operations, states) goes into the log.
long_collection_tests() {
  local filter=$1 counted=$logs/counted.xml
  shift
  echo "$@"
  env "$@" build/release/tests/collection_tests --gtest_brief=1 --gtest_filter="$filter" \
    --gtest_output="xml:$counted"
  grep -o 'property name="[a-z_]*" value="[0-9]*"' "$counted" || true
}

# Builds on Ray of which 60 workers die, and 60 replicas of what serves; every other run kills 20
# and three.
ray_deaths() {
  wheel
  install_ray
  OBLIQ_RAY_KILLS=60 OBLIQ_SERVING_KILLS=20 timeout 3600 build/ray_test/bin/python -m pytest -q \
    -p no:cacheprovider python/tests/on_ray/test_ray_deaths.py python/tests/on_ray/test_serving.py
}

long_collections() {
  step "build release collection tests" build release collection_tests
  step "a million operations" long_collection_tests 'ModelTest.*' \
    OBLIQ_MODEL_OPERATIONS=1000000 OBLIQ_MODEL_SEED=$RANDOM
  step "1500 killed writers" long_collection_tests 'Crash.*' \
    OBLIQ_CRASH_CYCLES=1500 OBLIQ_CRASH_SEED=$RANDOM
  step "a million power failures" long_collection_tests 'PowerLossOfCollections.*Whatever*' \
    OBLIQ_CRASH_STATES=1000000 OBLIQ_CRASH_SEED=$RANDOM
  step "every bit" long_collection_tests 'EveryBit.*' OBLIQ_EVERY_BIT=1
  step "every allocation" long_collection_tests '*Allocations.*' OBLIQ_EVERY_ALLOCATION=1
}

packages_in_new_root() {
  install_packages debootstrap lintian
  debs
  tests/debs.sh --clean-root build/debs build/debs_test
}

# With packages that take a minute to install and to compile themselves.
long_recipes() {
  wheel
  install_wheel
  build/wheel_test/bin/python -m pip install --quiet --disable-pip-version-check \
    "${long_test_packages[@]}"
  build/wheel_test/bin/python -m pytest -q -p no:cacheprovider python/tests/test_recipes.py
}

# The command line, which the runs above leave out: most of it is what CLI11 and json make.
sanitized_tools() {
  cmake --preset asan -B build/asan_tools -D OBLIQ_TOOLS=ON
  cmake --build build/asan_tools --parallel "$jobs"
  ctest --test-dir build/asan_tools --output-on-failure --parallel "$jobs" -L '^(tools|faiss)$'
}

long_tests() {
  local minutes=${1:-10}
  step "clang-tidy" tidy_all
  step "umap-learn" long_recipes
  step "fuzz" fuzz 600
  step "build release storage tests" build release storage_tests
  step "power failures" power_failures
  long_collections
  step "build tsan" build tsan threads_tests
  step "repeat threads tsan" repeat_threads tsan "$minutes"
  step "collections tsan" env OBLIQ_MEETING_SECONDS=$((60 * minutes)) \
    build/tsan/tests/threads_tests --gtest_brief=1 --gtest_filter='Meeting.*'
  step "wheels" wheels
  if command -v dpkg-deb >/dev/null; then
    step "packages in a new root" packages_in_new_root
  fi
  step "killed workers and replicas on ray" ray_deaths
  step "tools asan" sanitized_tools
  step "build aarch64" build aarch64 obliq
  step "build asan" build asan
  GTEST_FILTER=$all_but_large program_step "all tests asan" asan "${programs[@]}"
  step "repeat threads asan" repeat_threads asan "$minutes"
}
