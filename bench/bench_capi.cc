// Times a search of one query through the C interface and the same in C++, of the same index, so
// small that the search itself takes a few us, one thread. Pairs alternate, so that both meet the
// same machine:
//     bench_capi [ROUNDS]
// Prints the median over the rounds of each, in us a call, the median of their differences, and the
// difference of the least of each, which a busy machine disturbs less.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <vector>

#include "capi/handles.h"
#include "core/random.h"
#include "obliq/index.h"
#include "obliq/obliq.h"

namespace {

constexpr std::size_t kDim = 16;
constexpr std::size_t kVectors = 64;
constexpr std::size_t kTop = 10;
constexpr int kCalls = 2'000;

double us_of(const std::function<void()>& call) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < kCalls; ++i) call();
  const std::chrono::duration<double, std::micro> passed = std::chrono::steady_clock::now() - start;
  return passed.count() / kCalls;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void compare(const char* name, const std::function<void()>& cpp, const std::function<void()>& c,
             int rounds) {
  std::vector<double> of_cpp;
  std::vector<double> of_c;
  std::vector<double> more;
  us_of(cpp);
  us_of(c);
  for (int i = 0; i < rounds; ++i) {
    of_cpp.push_back(us_of(cpp));
    of_c.push_back(us_of(c));
    more.push_back(of_c.back() - of_cpp.back());
  }
  const double least =
      *std::min_element(of_c.begin(), of_c.end()) - *std::min_element(of_cpp.begin(), of_cpp.end());
  fmt::print("{:<20} C++ {:6.3f} us   C {:6.3f} us   C costs {:6.3f} us more, least {:6.3f}\n",
             name, median(of_cpp), median(of_c), median(more), least);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 301;
  obliq::Random random(1);
  std::vector<float> base(kVectors * kDim);
  for (float& value : base) value = static_cast<float>(random.uniform());
  obliq_build_options build;
  obliq_build_options_init(&build, sizeof build);
  build.nlist = 1;
  obliq_index* handle = nullptr;
  if (obliq_index_build(base.data(), kVectors, kDim, &build, &handle) != OBLIQ_OK) return 1;
  const obliq::Index& index = handle->index;

  std::vector<float> distances(kTop);
  std::vector<std::int64_t> ids(kTop);
  const obliq::MatrixView<float> query{base.data(), 1, kDim};
  compare(
      "defaults", [&] { index.search(query, {.threads = 0}, distances.data(), ids.data()); },
      [&] {
        (void)obliq_index_search(handle, base.data(), 1, kDim, kTop, nullptr, distances.data(),
                                 ids.data());
      },
      rounds);
  obliq_search_options options;
  obliq_search_options_init(&options, sizeof options);
  options.nprobe = 1;
  options.threads = 1;
  compare(
      "nprobe, one thread",
      [&] { index.search(query, {.nprobe = 1, .threads = 1}, distances.data(), ids.data()); },
      [&] {
        (void)obliq_index_search(handle, base.data(), 1, kDim, kTop, &options, distances.data(),
                                 ids.data());
      },
      rounds);
  obliq_index_free(handle);
  return 0;
}
