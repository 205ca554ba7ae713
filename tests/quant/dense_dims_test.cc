// The limit on the dim of quantizers that hold a dense matrix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "obliq/quantizer.h"

namespace obliq {
namespace {

// Whoever opens an index makes its quantizer: a name of a few bytes must not cost gigabytes.
TEST(MakeQuantizer, RefusesMatricesAboveADim) {
  using testing::HasSubstr;
  const auto names_the_limit = testing::ThrowsMessage<std::invalid_argument>(
      testing::AllOf(HasSubstr("4096 rows"), HasSubstr("choose another quantizer")));
  for (const char* spec : {"wf4", "wf2:fractional", "tqp4:gaussian", "kashin4:haar",
                           "kashin3:signs:haar", "kashin4:dct", "kashin4:signdct"}) {
    for (const std::size_t dim : {kMostDenseDims + 1, std::size_t{65535}}) {
      EXPECT_THAT([&] { make_quantizer(spec, dim); }, names_the_limit) << spec << " " << dim;
    }
  }
  EXPECT_EQ(make_quantizer("kashin4:dct", 65536)->dim(), 65536U);  // its odd part is 1
  EXPECT_EQ(make_quantizer("tqp4:gaussian", kMostDenseDims)->dim(), kMostDenseDims);
  EXPECT_EQ(make_quantizer("tqp4", 65536)->dim(), 65536U);
}

}  // namespace
}  // namespace obliq
