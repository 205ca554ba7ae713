#include "obliq/metric.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace obliq {
namespace {

TEST(Metrics, AreFoundByTheNamesThatTheyTell) {
  for (const Metric metric : {Metric::l2, Metric::ip, Metric::cosine}) {
    EXPECT_EQ(parse_metric(to_string(metric)), metric);
  }
}

TEST(Metrics, AreFoundByTheNamesOfBenchmarks) {
  EXPECT_EQ(parse_metric("euclidean"), Metric::l2);
  EXPECT_EQ(parse_metric("angular"), Metric::cosine);
  EXPECT_EQ(parse_metric("normalized"), Metric::cosine);
  EXPECT_EQ(parse_metric("dot"), Metric::ip);
  EXPECT_EQ(parse_metric("inner_product"), Metric::ip);
}

TEST(Metrics, OfOtherNamesAreRefused) {
  for (const char* name : {"hamming", "", "L2", "sqeuclidean"}) {
    EXPECT_THAT([&] { parse_metric(name); },
                ::testing::ThrowsMessage<std::invalid_argument>(
                    "unknown metric '" + std::string(name) + "'; valid: l2, ip, cosine"));
  }
}

}  // namespace
}  // namespace obliq
