// Times rotations and quantizers on the best ISA of this CPU (OBLIQ_SIMD forces another), one
// thread, data in cache:
//     bench_quant --benchmark_filter='encode/lm4'
// A line is rotate/dim, or encode, set_query or product of spec/dim. items_per_second counts
// vectors (encode), queries (set_query, rotate) or codes (product).
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/kernels/dispatch.h"
#include "measure/distortion.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"

namespace obliq {
namespace {

constexpr std::size_t kVectors = 32;

void time_rotation(benchmark::State& state, std::size_t dim) {
  const auto rotation = make_rotation(dim, 1);
  Matrix<float> vectors = distortion_data("sphere", dim, 1, 1);
  for ([[maybe_unused]] auto round : state) {
    rotation->apply(vectors.values.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void time_encode(benchmark::State& state, const std::string& spec, std::size_t dim) {
  const auto quantizer = make_quantizer(spec, dim);
  const Matrix<float> vectors = distortion_data("sphere", dim, kVectors, 1);
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(encode_all(*quantizer, vectors.view()));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kVectors));
}

void time_set_query(benchmark::State& state, const std::string& spec, std::size_t dim) {
  const auto quantizer = make_quantizer(spec, dim);
  const auto scorer = quantizer->make_scorer();
  const Matrix<float> vectors = distortion_data("sphere", dim, 1, 1);
  for ([[maybe_unused]] auto round : state) {
    scorer->set_query(vectors.row(0));
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void time_product(benchmark::State& state, const std::string& spec, std::size_t dim) {
  const auto quantizer = make_quantizer(spec, dim);
  const CodeLayout layout = quantizer->layout();
  const Matrix<float> vectors = distortion_data("sphere", dim, kVectors, 1);
  std::vector<std::uint8_t> bytes(kVectors * layout.code_bytes);
  std::vector<CodeRef> codes;
  for (std::size_t i = 0; i < kVectors; ++i) {
    std::uint8_t* code = bytes.data() + i * layout.code_bytes;
    CodeRef reference{code, code + (layout.leads_with_signs ? plane_bytes(dim) : 0), {}};
    quantizer->encode(vectors.row(i), code, reference.factors);
    codes.push_back(reference);
  }
  const auto scorer = quantizer->make_scorer();
  scorer->set_query(vectors.row(0));
  std::vector<float> out(kVectors);
  for ([[maybe_unused]] auto round : state) {
    scorer->products(codes, out.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kVectors));
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark(name.c_str(), body);
}

void register_all() {
  for (const std::size_t dim : {96, 128, 384, 768, 1000, 1536}) {
    add(fmt::format("rotate/{}", dim), [=](benchmark::State& s) { time_rotation(s, dim); });
  }
  for (const std::string& spec : quantizer_specs()) {
    for (const std::size_t dim : {128, 384, 768}) {
      const std::string name = fmt::format("{}/{}", spec, dim);
      add("encode/" + name, [=](benchmark::State& s) { time_encode(s, spec, dim); });
      add("set_query/" + name, [=](benchmark::State& s) { time_set_query(s, spec, dim); });
      add("product/" + name, [=](benchmark::State& s) { time_product(s, spec, dim); });
    }
  }
}

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  obliq::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("simd", obliq::kernels().name);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
