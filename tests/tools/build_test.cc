// `obliq build --max-memory` in a process that the system allows no more memory.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/random.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

// fbin: rows and dim, then floats.
void write_base(const std::string& path, std::uint32_t rows, std::uint32_t dim) {
  std::ofstream out(path, std::ios::binary);
  const std::uint32_t shape[] = {rows, dim};
  out.write(reinterpret_cast<const char*>(shape), sizeof shape);
  Random random(1);
  std::vector<float> row(dim);
  for (std::uint32_t i = 0; i < rows; ++i) {
    for (float& value : row) value = static_cast<float>(random.uniform());
    out.write(reinterpret_cast<const char*>(row.data()),
              static_cast<std::streamsize>(row.size() * sizeof(float)));
  }
}

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// The limit is on data: heap and private mappings, not mapped files. 150,000 x 256 floats are 153
// MB, the limit is a tenth. All k-means points are staged, rows and blocks go out in pieces.
TEST(BuildMemory, ASetTenTimesTheBoundBuildsWithinItToTheSameBytes) {
#ifdef OBLIQ_SANITIZED
  GTEST_SKIP() << "shadow memory counts as data";
#endif
  const TemporaryFolder folder;
  write_base(folder / "base.fbin", 150000, 256);
  const std::string build = fmt::format(
      "{} build {} --nlist 48 --kmeans-points 4000 --kmeans-iterations 2 --spill .5 --threads 1 "
      "--no-tune -o ",
      OBLIQ_PROGRAM, folder / "base.fbin");
  const auto run = [&](const std::string& limit, const std::string& output) {
    const std::string command = limit + build + output + " > " + (folder / "log") + " 2>&1";
    return std::system(command.c_str());
  };
  ASSERT_EQ(run("", folder / "free"), 0) << content(folder / "log");
  ASSERT_NE(run("ulimit -d 15000; ", folder / "kept"), 0) << "the limit limits nothing";
  ASSERT_EQ(run("ulimit -d 15000; ", (folder / "kept") + " --max-memory 15MB"), 0)
      << content(folder / "log");
  EXPECT_TRUE(content(folder / "free") == content(folder / "kept"));
}

}  // namespace
}  // namespace obliq::tools
