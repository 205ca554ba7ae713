// The smallest program that uses the installed library, as the README shows it: public headers
// only, an index built, saved, opened and searched.
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "obliq/index.h"

int main(int, char** arguments) {
  const std::size_t n = 40;
  const std::size_t dim = 8;
  std::vector<float> values(n * dim);
  for (std::size_t i = 0; i < n; ++i) values[i * dim + i % dim] = static_cast<float>(i + 1);

  const obliq::MatrixView<float> base{values.data(), n, dim};
  const auto index = obliq::Index::build(
      base, {.metric = obliq::Metric::l2, .quantizer = "lm4", .raw = obliq::RawTier::fp32});
  const std::string path = std::string(arguments[0]) + ".index";
  index.save(path);
  const auto opened = obliq::Index::open(path, {.verify = true});
  std::filesystem::remove(path);

  const auto found = opened.search(base, {.k = 1, .nprobe = n, .confidence = 1});
  for (std::size_t i = 0; i < n; ++i) {
    if (found.ids.row(i)[0] != static_cast<std::int64_t>(i)) {
      std::printf("consumer: vector %zu is not its own neighbour\n", i);
      return 1;
    }
  }
  std::puts("consumer: every vector is its own nearest neighbour");
}
