// What opening an index makes is bounded by the size of its file: damage with valid checksums.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

#include "index/segment/segment.h"
#include "tests/index/cases.h"
#include "tests/index/file_case.h"
#include "tests/storage/damage.h"

namespace obliq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

class OpenBounds : public testing::IndexFileCase {};

constexpr std::size_t kDim = 5000;

// The file has a few 10 kB, what it names takes 200 MB to 2 GB.
TEST_F(OpenBounds, RefuseAQuantizerWithAMatrixOfAVeryHighDim) {
  Matrix<float> base(1, kDim);
  base.values[7] = 1;
  Index::build(base.view()).save(path_);
  const std::string sound = read();
  Bytes bytes(sound.size());
  std::memcpy(bytes.data(), sound.data(), sound.size());
  for (const std::string spec : {"wf4", "tqp4:gaussian", "kashin4:haar"}) {
    const std::uint64_t at = SectionFile(path_).offset("model") + offsetof(ModelInfo, quantizer);
    std::memset(bytes.data() + at, 0, sizeof ModelInfo::quantizer);
    std::memcpy(bytes.data() + at, spec.data(), spec.size());
    reseal(bytes);
    write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    EXPECT_THAT([&] { Index::open(path_); },
                ThrowsMessage<std::runtime_error>(
                    AllOf(HasSubstr("section 'model'"), HasSubstr("limited to 4096 rows"))));
  }
}

TEST_F(OpenBounds, AreThoseOfABuild) {
  const Matrix<float> base(1, kDim);
  for (const char* spec : {"wf4", "tqp4:gaussian", "kashin4:haar"}) {
    BuildOptions build;
    build.quantizer = spec;
    EXPECT_THAT([&] { Index::build(base.view(), build); },
                ThrowsMessage<std::invalid_argument>(HasSubstr("limited to 4096 rows")));
  }
}

}  // namespace
}  // namespace obliq
