// Times every case of tests/core/kernels/cases.h on every ISA of this CPU, with the data in cache:
//     bench_kernels --benchmark_filter='scan/.*/384'
// A line is case/ISA/dim, with the time per call and, as per_entry, per entry of the scan, pair of
// the tile, or vector.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>

#include "core/kernels/dispatch.h"
#include "tests/core/kernels/cases.h"

namespace obliq {
namespace {

void time_calls(benchmark::State& state, const KernelCase& kernel, const Kernels& isa,
                std::size_t dim) {
  CaseSetup setup;
  setup.dim = dim;
  setup.timing = true;
  const std::unique_ptr<KernelCall> call = kernel.make(setup);
  for ([[maybe_unused]] auto round : state) {
    call->run(isa);
    benchmark::ClobberMemory();
  }
  const double entries =
      static_cast<double>(state.iterations()) * static_cast<double>(call->entries());
  state.counters["per_entry"] =
      benchmark::Counter(entries, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void register_all() {
  for (const KernelCase& kernel : kernel_cases()) {
    for (const Kernels& isa : kernel_levels()) {
      for (const std::size_t dim : {128, 256, 384, 768, 1536}) {
        benchmark::RegisterBenchmark(
            fmt::format("{}/{}/{}", kernel.name, isa.name, dim).c_str(),
            [kernel, &isa, dim](benchmark::State& state) { time_calls(state, kernel, isa, dim); });
      }
    }
  }
}

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  obliq::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
