// What :query promises: the codes of the plain quantizer until it has learnt, less error for
// queries like those it has learnt from afterwards, and the same code for a vector whatever its
// company.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/quantizer.h"
#include "obliq/rotation.h"
#include "quant/nested/nested_points.h"

namespace obliq {
namespace {

/// Rows with variances i^-2 and a mean, in a random basis.
Matrix<float> uneven_rows(std::size_t rows, std::size_t dim, std::uint64_t seed,
                          float mean = 0.0F) {
  const auto rotation = make_rotation(dim, 77);
  Random random(seed);
  Matrix<float> x(rows, dim);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t i = 0; i < dim; ++i) {
      x.row(r)[i] = mean + static_cast<float>(random.gaussian() / static_cast<double>(i + 1));
    }
    rotation->apply(x.row(r));
  }
  return x;
}

Matrix<float> even_rows(std::size_t rows, std::size_t dim, std::uint64_t seed) {
  Random random(seed);
  Matrix<float> x(rows, dim);
  for (float& value : x.values) value = static_cast<float>(random.gaussian());
  return x;
}

struct Codes {
  std::vector<std::uint8_t> bytes;
  std::vector<Factors> factors;

  bool operator==(const Codes&) const = default;
};

Codes encode_batch(const Quantizer& quantizer, MatrixView<float> x) {
  Codes codes{std::vector<std::uint8_t>(x.rows * quantizer.layout().code_bytes),
              std::vector<Factors>(x.rows)};
  quantizer.encode_batch(x, codes.bytes.data(), codes.factors.data());
  return codes;
}

Codes encode_singly(const Quantizer& quantizer, MatrixView<float> x) {
  const std::size_t bytes = quantizer.layout().code_bytes;
  Codes codes{std::vector<std::uint8_t>(x.rows * bytes), std::vector<Factors>(x.rows)};
  for (std::size_t r = 0; r < x.rows; ++r) {
    quantizer.encode(x.row(r), codes.bytes.data() + r * bytes, codes.factors[r]);
  }
  return codes;
}

/// E<x - x^, q>^2 over all rows of x and queries, `mean` of the queries taken out.
double query_error(const Quantizer& quantizer, const Matrix<float>& x,
                   const Matrix<float>& queries) {
  const Codes codes = encode_batch(quantizer, x.view());
  const auto mean = quantizer.mean_query();
  double sum = 0;
  for (std::size_t r = 0; r < x.rows; ++r) {
    std::vector<float> decoded(x.cols);
    quantizer.decode(codes.bytes.data() + r * quantizer.layout().code_bytes, codes.factors[r],
                     decoded.data());
    for (std::size_t q = 0; q < queries.rows; ++q) {
      double error = 0;
      for (std::size_t i = 0; i < x.cols; ++i) {
        const double value = queries.row(q)[i] - (mean.empty() ? 0.0F : mean[i]);
        error += (x.row(r)[i] - decoded[i]) * value;
      }
      sum += error * error;
    }
  }
  return sum / static_cast<double>(x.rows * queries.rows);
}

TEST(QueryQuantizer, IsThePlainQuantizerUntilItHasLearnt) {
  constexpr std::size_t kDim = 70;
  const Matrix<float> x = even_rows(20, kDim, 1);
  for (const std::string spec : {"lm1:query", "lm4:query", "lm8:query-beam", "e8q4:query"}) {
    const std::string plain = spec.substr(0, spec.find(':'));
    const auto quantizer = make_quantizer(spec, kDim);
    EXPECT_EQ(encode_batch(*quantizer, x.view()),
              encode_batch(*make_quantizer(plain, kDim), x.view()));
    EXPECT_TRUE(quantizer->mean_query().empty());
  }
}

TEST(QueryQuantizer, HasLessErrorForQueriesLikeThoseItLearntFrom) {
  constexpr std::size_t kDim = 96;
  const Matrix<float> x = even_rows(48, kDim, 2);
  const Matrix<float> learnt = uneven_rows(2000, kDim, 3, 0.1F);
  const Matrix<float> asked = uneven_rows(300, kDim, 4, 0.1F);
  for (const std::string plain : {"lm1", "lm2", "lm4", "lm7", "e8q4", "d4q8", "z5"}) {
    const auto untrained = make_quantizer(plain + ":query", kDim);
    const auto quantizer = untrained->train({x.view(), learnt.view(), 1});
    const double before = query_error(*untrained, x, asked);
    const double after = query_error(*quantizer, x, asked);
    // The spectrum alone would allow far more; a third of its mean is mixed in (QueryMetric).
    EXPECT_LT(after, .35 * before) << plain;
    EXPECT_EQ(quantizer->spec(), plain + ":query");
    EXPECT_TRUE(quantizer->state().empty());
    if (!plain.starts_with("lm")) continue;
    const auto beam = make_quantizer(plain + ":query-beam", kDim)->train({{}, learnt.view(), 1});
    EXPECT_LT(query_error(*beam, x, asked), 1.01 * after) << plain;
  }
}

TEST(QueryQuantizer, LearnsTheMeanOfTheQueriesAndNoneFromVectors) {
  constexpr std::size_t kDim = 30;
  const Matrix<float> queries = uneven_rows(500, kDim, 5, 2.0F);
  const auto untrained = make_quantizer("lm3:query", kDim);
  const auto quantizer = untrained->train({{}, queries.view(), 1});
  ASSERT_EQ(quantizer->mean_query().size(), kDim);
  for (std::size_t i = 0; i < kDim; ++i) {
    double mean = 0;
    for (std::size_t r = 0; r < queries.rows; ++r) mean += queries.row(r)[i] / 500.0;
    EXPECT_NEAR(quantizer->mean_query()[i], mean, 1e-5);
  }
  EXPECT_TRUE(untrained->train({queries.view(), {}, 1})->mean_query().empty());
}

TEST(QueryQuantizer, GivesAVectorTheSameCodeWhateverItsCompany) {
  constexpr std::size_t kDim = 65;
  Matrix<float> x = even_rows(37, kDim, 6);
  for (std::size_t i = 0; i < kDim; ++i) {
    x.row(3)[i] = 0;
    x.row(20)[i] *= 0x1p60F;
    x.row(21)[i] *= 0x1p-120F;
  }
  const Matrix<float> queries = uneven_rows(400, kDim, 7);
  for (const char* spec : {"lm2:query", "lm5:query", "lm2:query-beam", "e8q3:query"}) {
    const auto quantizer = make_quantizer(spec, kDim)->train({{}, queries.view(), 1});
    const Codes codes = encode_batch(*quantizer, x.view());
    EXPECT_EQ(codes, encode_singly(*quantizer, x.view()));
    EXPECT_EQ(codes.factors[3], Factors{});
    const auto threads = make_quantizer(spec, kDim)->train({{}, queries.view(), 3});
    EXPECT_EQ(codes, encode_batch(*threads, x.view()));
  }
}

// What the encoder takes for the decoded vector is what the decoder gives, with an incomplete last
// block too.
TEST(NestedPoints, AreWrittenAsTheyAre) {
  constexpr std::size_t kDim = 21;
  Random random(13);
  for (const NestedLattice lattice : {NestedLattice::e8, NestedLattice::d4, NestedLattice::z8}) {
    for (const std::size_t q : {2, 5, 14}) {
      NestedOptions options{.lattice = lattice, .q = q};
      if (q == 5) options.choice = ScaleChoice::first;
      const auto code = make_nested_code(options, kDim);
      const NestedPoints points(options, kDim);
      const std::size_t block = points.block();
      std::vector<float> levels(code->blocks() * block);
      for (int trial = 0; trial < 50; ++trial) {
        for (std::size_t b = 0; b < code->blocks(); ++b) {
          std::vector<float> target(block * kVectorLanes);
          for (float& value : target) {
            value = static_cast<float>(1.2 * random.gaussian()) / points.unit();
          }
          std::vector<float> point(target.size());
          points.round(target.data(), point.data());
          for (std::size_t i = 0; i < block; ++i) levels[b * block + i] = point[kVectorLanes * i];
        }
        std::vector<std::uint8_t> bytes(code->code_bytes());
        points.write(levels.data(), bytes.data());
        std::vector<std::int16_t> decoded(kDim);
        code->levels(bytes.data(), decoded.data());
        for (std::size_t i = 0; i < kDim; ++i) ASSERT_EQ(decoded[i], levels[i]) << q << ", " << i;
      }
    }
  }
}

// Noise in a metric from few samples is not mistaken for what queries are like.
TEST(QueryQuantizer, LosesLittleByLearningFromFewQueries) {
  constexpr std::size_t kDim = 96;
  const Matrix<float> x = even_rows(64, kDim, 8);
  const Matrix<float> asked = even_rows(300, kDim, 9);
  const auto untrained = make_quantizer("lm2:query", kDim);
  const double before = query_error(*untrained, x, asked);
  for (const std::size_t few : {2, 20, 200}) {
    const Matrix<float> learnt = even_rows(few, kDim, 10);
    const auto quantizer = untrained->train({{}, learnt.view(), 1});
    EXPECT_LT(query_error(*quantizer, x, asked), 1.1 * before) << few << " queries";
  }
}

TEST(QueryQuantizer, LearnsFromDegenerateDataWithoutHarm) {
  for (const std::size_t dim : {1, 2, 40}) {
    const Matrix<float> x = even_rows(18, dim, 11);
    Matrix<float> same(5, dim);
    std::fill(same.values.begin(), same.values.end(), 3.0F);
    Matrix<float> line(2, dim);
    line.row(1)[0] = 1;
    Matrix<float> huge = even_rows(50, dim, 12);
    for (float& value : huge.values) value *= 0x1p100F;
    const Matrix<float> zero(3, dim);
    const std::vector<MatrixView<float>> sets = {
        same.view(), line.view(), huge.view(), zero.view(), {}};
    for (const MatrixView<float> queries : sets) {
      for (const char* spec : {"lm1:query", "lm4:query", "lm3:query-beam", "e8q2:query"}) {
        const auto quantizer = make_quantizer(spec, dim)->train({{}, queries, 1});
        const Codes codes = encode_batch(*quantizer, x.view());
        for (const Factors& factors : codes.factors) {
          EXPECT_TRUE(std::isfinite(factors[0]) && factors[0] > 0) << spec << ", dim " << dim;
        }
      }
    }
  }
}

}  // namespace
}  // namespace obliq
