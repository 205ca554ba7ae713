// What the quantizer interface promises for every quantizer, whatever it does inside: layout, round
// trips at awkward dims, products equal to those of the decoded vector, extreme vectors, malformed
// specs.
#include "obliq/quantizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <stdexcept>
#include <vector>

#include "core/random.h"
#include "tests/quant/vectors.h"

namespace obliq {
namespace {

using test_vectors::dot;
using test_vectors::gaussian_rows;
using test_vectors::gaussian_vector;

struct Encoded {
  std::vector<std::uint8_t> code;
  Factors factors{};
};

constexpr std::uint8_t kGuard = 0xA5;

Encoded encode(const Quantizer& quantizer, const std::vector<float>& x) {
  Encoded encoded;
  const std::size_t bytes = quantizer.layout().code_bytes;
  encoded.code.assign(bytes + 8, kGuard);
  quantizer.encode(x.data(), encoded.code.data(), encoded.factors);
  for (std::size_t i = bytes; i < encoded.code.size(); ++i) EXPECT_EQ(encoded.code[i], kGuard);
  encoded.code.resize(bytes);
  return encoded;
}

std::vector<float> decode(const Quantizer& quantizer, const Encoded& encoded) {
  std::vector<float> x(quantizer.dim());
  quantizer.decode(encoded.code.data(), encoded.factors, x.data());
  return x;
}

CodeRef reference(const Quantizer& quantizer, const Encoded& encoded) {
  const std::size_t sign_bytes =
      quantizer.layout().leads_with_signs ? (quantizer.dim() + 7) / 8 : 0;
  return {encoded.code.data(), encoded.code.data() + sign_bytes, encoded.factors};
}

float product(const Quantizer& quantizer, const Encoded& encoded, const std::vector<float>& query) {
  const auto scorer = quantizer.make_scorer();
  scorer->set_query(query.data());
  const CodeRef code = reference(quantizer, encoded);
  float out = 0;
  scorer->products({&code, 1}, &out);
  return out;
}

std::vector<std::size_t> dims() {
  std::vector<std::size_t> all;
  for (std::size_t dim = 1; dim <= 40; ++dim) all.push_back(dim);
  for (const std::size_t dim : {100, 768}) all.push_back(dim);
  return all;
}

/// How far the integer query may move <x^,q>: half a step a coordinate, at |x^| = 1. The step is
/// the largest value over 8191, or what keeps 2047 sum |q_i| below 2^31.
double rounding(const std::vector<float>& query) {
  double largest = 0;
  double sum = 0;
  for (const float value : query) {
    largest = std::max(largest, std::abs(double{value}));
    sum += std::abs(double{value});
  }
  const double step = std::max(largest / 8191, sum * 2047 / 0x7FFFFFFF) * 1.01;
  return step / 2 * std::sqrt(static_cast<double>(query.size()));
}

/// Signs aside, a code of less than a byte may have no word on the side of x. Blocks that are
/// completed with zeros count by what they spend on a coordinate of whole ones.
bool may_vanish(const Quantizer& quantizer) {
  const double bits = make_quantizer(quantizer.spec(), 64)->bits();
  return !quantizer.layout().leads_with_signs && bits * static_cast<double>(quantizer.dim()) < 8;
}

class EverySpec : public testing::TestWithParam<std::string> {};

TEST_P(EverySpec, StatesItsLayout) {
  for (const std::size_t dim : {1, 8, 100}) {
    const auto quantizer = make_quantizer(GetParam(), dim);
    const CodeLayout layout = quantizer->layout();
    EXPECT_EQ(quantizer->spec(), GetParam());
    EXPECT_EQ(quantizer->dim(), dim);
    // No less than the bits say, and beyond them only what completes blocks of 8 and machine words.
    const auto bits = 8 * static_cast<double>(layout.code_bytes);
    EXPECT_GE(bits, std::floor(quantizer->bits() * static_cast<double>(dim)));
    EXPECT_LE(bits, quantizer->bits() * static_cast<double>(dim) * 1.02 + 8 * 8 + 64);
    EXPECT_GE(layout.factors, 1U);
    EXPECT_LE(layout.factors, kMaxFactors);
  }
}

TEST_P(EverySpec, ProductsAreThoseOfTheDecodedVector) {
  Random random(1);
  for (const std::size_t dim : dims()) {
    const auto quantizer = make_quantizer(GetParam(), dim, 7);
    const auto x = gaussian_vector(dim, random);
    const auto query = gaussian_vector(dim, random);
    const Encoded encoded = encode(*quantizer, x);
    const auto decoded = decode(*quantizer, encoded);
    // The sketch of tqp rounds a projected query too, whose largest value is not known here: twice
    // the bound of a query that is no flatter.
    const double scale = std::sqrt(std::max(dot(decoded, decoded), dot(x, x)));
    const bool sketch = GetParam().starts_with("tqp");
    const double bound =
        rounding(query) * scale * (sketch ? 4 : 1) + 1e-6 * scale * std::sqrt(dot(query, query));
    EXPECT_NEAR(product(*quantizer, encoded, query), dot(decoded, query), bound) << "dim " << dim;
  }
}

/// In tests, not as their parameters: those are made in every process of a test.
std::vector<std::string> specs_that(bool (*holds)(const Quantizer&)) {
  auto specs = quantizer_specs();
  std::erase_if(specs, [&](const std::string& spec) { return !holds(*make_quantizer(spec, 16)); });
  return specs;
}

void expect_leading_signs(const std::string& spec) {
  Random random(2);
  for (const std::size_t dim : dims()) {
    const auto quantizer = make_quantizer(spec, dim);
    auto x = gaussian_vector(dim, random);
    x[dim / 2] = 0;
    const Encoded encoded = encode(*quantizer, x);
    for (std::size_t i = 0; i < dim; ++i) {
      ASSERT_EQ(encoded.code[i / 8] >> (i % 8) & 1, x[i] >= 0 ? 1 : 0)
          << spec << " dim " << dim << ", " << i;
    }
    for (std::size_t i = dim; i < (dim + 7) / 8 * 8; ++i) {
      ASSERT_EQ(encoded.code[i / 8] >> (i % 8) & 1, 0) << spec;
    }
  }
}

TEST(SpecsWithSigns, LeadWithThem) {
  const auto specs = specs_that([](const Quantizer& q) { return q.layout().leads_with_signs; });
  EXPECT_FALSE(specs.empty());
  for (const std::string& spec : specs) expect_leading_signs(spec);
}

TEST_P(EverySpec, ReconstructsBetterThanChance) {
  Random random(3);
  for (const std::size_t dim : {1, 2, 5, 40, 100, 768}) {
    const auto quantizer = make_quantizer(GetParam(), dim);
    if (may_vanish(*quantizer)) continue;
    double cosine = 0;
    for (int i = 0; i < 10; ++i) {
      const auto x = gaussian_vector(dim, random);
      const auto y = decode(*quantizer, encode(*quantizer, x));
      cosine += dot(x, y) / std::sqrt(dot(x, x) * dot(y, y)) / 10;
    }
    EXPECT_GT(cosine, 0.6) << "dim " << dim;  // 1 bit: sqrt(2/pi) = .798; Gaussian sketch: .79
  }
}

TEST_P(EverySpec, GivesZeroForTheZeroVector) {
  for (const std::size_t dim : {1, 33}) {
    const auto quantizer = make_quantizer(GetParam(), dim);
    const Encoded encoded = encode(*quantizer, std::vector<float>(dim));
    EXPECT_THAT(encoded.factors, testing::Each(0.0F));
    EXPECT_THAT(decode(*quantizer, encoded), testing::Each(0.0F));
    EXPECT_EQ(product(*quantizer, encoded, std::vector<float>(dim, 1.0F)), 0);
  }
}

TEST_P(EverySpec, ScalesWithTheVectorOverAllFiniteNorms) {
  constexpr std::size_t kDim = 50;
  Random random(4);
  const auto x = gaussian_vector(kDim, random);
  const auto quantizer = make_quantizer(GetParam(), kDim);
  const Encoded unit = encode(*quantizer, x);
  for (const float scale : {0x1p-126F, 0x1p-70F, 0x1p-20F, 0x1p20F, 0x1p60F}) {
    std::vector<float> scaled = x;
    for (float& value : scaled) value *= scale;
    const Encoded encoded = encode(*quantizer, scaled);
    for (std::size_t f = 0; f < quantizer->layout().factors; ++f) {
      EXPECT_NEAR(encoded.factors[f] / scale, unit.factors[f], 1e-4F * unit.factors[f]) << scale;
    }
  }
}

TEST_P(EverySpec, HasFactorsThatFitHalfPrecisionForVectorsOfNormOne) {
  Random random(5);
  for (const std::size_t dim : {1, 16, 384, 1536}) {
    if (dim == 1536 && GetParam().ends_with(":gaussian")) continue;  // a matrix of dim * dim
    const auto quantizer = make_quantizer(GetParam(), dim);
    if (may_vanish(*quantizer)) continue;
    auto x = gaussian_vector(dim, random);
    const double norm = std::sqrt(dot(x, x));
    for (float& value : x) value = static_cast<float>(value / norm);
    const Encoded encoded = encode(*quantizer, x);
    EXPECT_GT(encoded.factors[0], 0.2F);
    EXPECT_LT(encoded.factors[0], 5.0F);
  }
}

TEST_P(EverySpec, DecodesAnyBytes) {
  Random random(6);
  for (const std::size_t dim : {1, 7, 100}) {
    const auto quantizer = make_quantizer(GetParam(), dim);
    const auto query = gaussian_vector(dim, random);
    Encoded encoded;
    encoded.factors = {1, 1, 1, 1};
    for (int i = 0; i < 20; ++i) {
      encoded.code.resize(quantizer->layout().code_bytes);
      for (auto& byte : encoded.code) byte = static_cast<std::uint8_t>(random.next());
      const auto x = decode(*quantizer, encoded);
      EXPECT_TRUE(std::all_of(x.begin(), x.end(), [](float v) { return std::isfinite(v); }));
      const double bound = 2e-3 * std::sqrt(dot(x, x) + 1) * std::sqrt(dot(query, query));
      EXPECT_NEAR(product(*quantizer, encoded, query), dot(x, query), bound);
    }
  }
}

TEST_P(EverySpec, ScoresManyCodesAndExtremeQueries) {
  constexpr std::size_t kDim = 70;
  Random random(7);
  const auto quantizer = make_quantizer(GetParam(), kDim);
  std::vector<Encoded> encoded;
  for (int i = 0; i < 5; ++i) encoded.push_back(encode(*quantizer, gaussian_vector(kDim, random)));
  std::vector<CodeRef> codes;
  for (const Encoded& one : encoded) codes.push_back(reference(*quantizer, one));
  const auto scorer = quantizer->make_scorer();
  const auto query = gaussian_vector(kDim, random);
  std::vector<float> expected(codes.size());
  scorer->set_query(query.data());
  scorer->products(codes, expected.data());
  for (const float scale : {0.0F, 0x1p-100F, 0x1p60F}) {
    std::vector<float> scaled = query;
    for (float& value : scaled) value *= scale;
    std::vector<float> out(codes.size());
    scorer->set_query(scaled.data());
    scorer->products(codes, out.data());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      EXPECT_NEAR(out[i], expected[i] * scale,
                  1e-4F * scale * std::abs(expected[i]) + 1e-5F * scale);
    }
  }
}

TEST_P(EverySpec, LearnsWhereItSaysSo) {
  const auto quantizer = make_quantizer(GetParam(), 7, 3);
  const auto vectors = gaussian_rows(200, 7, 9);
  EXPECT_EQ(quantizer->train({vectors.view(), {}, 1}) != nullptr, quantizer->learns());
}

void expect_restored_from_state(const std::string& spec) {
  for (const std::size_t dim : {1, 7, 30}) {
    const auto quantizer = make_quantizer(spec, dim, 3);
    const auto vectors = gaussian_rows(200, dim, 9);
    const auto queries = gaussian_rows(100, dim, 10);
    const auto trained = quantizer->train({vectors.view(), queries.view(), 1});
    ASSERT_NE(trained, nullptr);
    EXPECT_EQ(trained->spec(), spec);
    const auto state = trained->state();
    const auto restored = make_quantizer(spec, dim, 3, state);
    for (std::size_t i = 0; i < 20; ++i) {
      const std::vector<float> x(vectors.row(i), vectors.row(i) + dim);
      const Encoded encoded = encode(*trained, x);
      EXPECT_EQ(decode(*restored, encoded), decode(*trained, encoded)) << spec << " dim " << dim;
    }
  }
}

TEST(SpecsThatLearn, AreRestoredFromTheirState) {
  const auto specs = specs_that([](const Quantizer& q) { return q.learns(); });
  EXPECT_FALSE(specs.empty());
  for (const std::string& spec : specs) expect_restored_from_state(spec);
}

TEST_P(EverySpec, RefusesAStateThatIsNotItsOwn) {
  const auto quantizer = make_quantizer(GetParam(), 30, 3);
  std::vector<std::uint8_t> state;
  if (quantizer->learns()) {
    const auto vectors = gaussian_rows(200, 30, 9);
    state = quantizer->train({vectors.view(), {}, 1})->state();
  }
  state.push_back(0);
  EXPECT_THROW(make_quantizer(GetParam(), 30, 3, state), std::invalid_argument);
  state.resize(state.size() / 2);
  if (!state.empty()) {
    EXPECT_THROW(make_quantizer(GetParam(), 30, 3, state), std::invalid_argument);
  }
}

TEST_P(EverySpec, EncodesABatchAsItEncodesEachVector) {
  constexpr std::size_t kDim = 30;
  const auto vectors = gaussian_rows(21, kDim, 11);
  auto quantizer = make_quantizer(GetParam(), kDim, 3);
  if (quantizer->learns()) quantizer = quantizer->train({vectors.view(), {}, 1});
  const std::size_t bytes = quantizer->layout().code_bytes;
  std::vector<std::uint8_t> codes(vectors.rows * bytes);
  std::vector<Factors> factors(vectors.rows);
  quantizer->encode_batch(vectors.view(), codes.data(), factors.data());
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    const Encoded one =
        encode(*quantizer, std::vector<float>(vectors.row(i), vectors.row(i) + kDim));
    EXPECT_TRUE(std::equal(one.code.begin(), one.code.end(),
                           codes.begin() + static_cast<std::ptrdiff_t>(i * bytes)));
    EXPECT_EQ(one.factors, factors[i]);
  }
}

std::string spec_name(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Quantizer, EverySpec, testing::ValuesIn(quantizer_specs()), spec_name);
TEST(MakeQuantizer, KnowsEverySpecOfTheTable) {
  const auto specs = quantizer_specs();
  for (const char* spec : {"sq8", "lm1", "lm8", "tq1", "tq8", "tqp2:orthogonal", "tqp4:gaussian"}) {
    EXPECT_THAT(specs, testing::Contains(spec));
  }
  EXPECT_EQ(std::set(specs.begin(), specs.end()).size(), specs.size());
}

TEST(MakeQuantizer, TakesTheOrthogonalSketchWhenNoneIsNamed) {
  EXPECT_EQ(make_quantizer("tqp4", 10)->spec(), "tqp4:orthogonal");
}

// A code is written from the point that its encoder chose: what it decodes to loses, in the metric
// learnt, what the encoder thought. First-beta would code some points as others.
TEST(MakeQuantizer, CombinesOptions) {
  const auto vectors = gaussian_rows(300, 32, 12);
  Matrix<float> queries = gaussian_rows(300, 32, 13);
  for (std::size_t i = 0; i < queries.rows; ++i) {
    for (std::size_t j = 1; j < queries.cols; ++j) queries.row(i)[j] = queries.row(i)[0];
  }
  const auto error = [&](const char* spec) {
    auto quantizer = make_quantizer(spec, 32);
    if (quantizer->learns()) quantizer = quantizer->train({vectors.view(), queries.view(), 1});
    double sum = 0;
    for (std::size_t i = 0; i < vectors.rows; ++i) {
      const std::vector<float> x(vectors.row(i), vectors.row(i) + 32);
      const auto decoded = decode(*quantizer, encode(*quantizer, x));
      double along = 0;
      for (std::size_t j = 0; j < 32; ++j) along += x[j] - decoded[j];
      sum += along * along;
    }
    return sum;
  };
  for (const char* options : {"", ":first", ":opt", ":dither", ":k2", ":k4:first"}) {
    const std::string plain = std::string("e8q4") + options;
    EXPECT_LT(error((plain + ":query").c_str()), 0.7 * error(plain.c_str())) << plain;
  }
}

TEST(MakeQuantizer, RefusesOtherSpecsAndListsTheValidOnes) {
  for (const char* spec : {"", "sq", "sq4", "lm", "lm0", "lm9", "lm04", "LM4", "lm4 ", "lm4:",
                           "tqp1", "tqp4:", "tqp4:haar", "pq8", "tqp4:gaussian:orthogonal"}) {
    try {
      make_quantizer(spec, 16);
      FAIL() << "accepted '" << spec << "'";
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("'" + std::string(spec) + "'"));
      EXPECT_THAT(error.what(), testing::HasSubstr("lm{1..8}"));
      EXPECT_THAT(error.what(), testing::HasSubstr("tqp{2..8}[:orthogonal|:gaussian]"));
    }
  }
}

TEST(MakeQuantizer, RefusesDimZero) {
  EXPECT_THROW(make_quantizer("lm4", 0), std::invalid_argument);
}

TEST(MakeQuantizer, DrawsTheSketchFromTheSeed) {
  Random random(8);
  const auto x = gaussian_vector(64, random);
  const auto first = encode(*make_quantizer("tqp2", 64, 1), x).code;
  EXPECT_EQ(first, encode(*make_quantizer("tqp2", 64, 1), x).code);
  EXPECT_NE(first, encode(*make_quantizer("tqp2", 64, 2), x).code);
}

}  // namespace
}  // namespace obliq
