// Sets of VIBE: metrics "normalized" and "ip", and queries to learn from with their true
// neighbours.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "datasets/dataset.h"
#include "datasets/hdf5_writer.h"
#include "obliq/index.h"
#include "tests/datasets/files.h"
#include "tests/tools/program.h"

namespace obliq::tools {
namespace {

using datasets::gaussian_vectors;
using testing::HasSubstr;

constexpr std::size_t kDim = 12;
constexpr std::size_t kNeighbours = 100;

class Vibe : public testing::Test {
 protected:
  Vibe() { write(set_, "normalized", neighbours()); }

  // By inner product: vectors of unit length, or metric ip.
  Matrix<std::int64_t> neighbours() const {
    Matrix<std::int64_t> nearest(learn_.rows, kNeighbours);
    std::vector<std::int64_t> order(train_.rows);
    for (std::size_t q = 0; q < learn_.rows; ++q) {
      const auto product = [&](std::int64_t row) {
        return std::inner_product(learn_.row(q), learn_.row(q) + kDim, train_.row(row), 0.0);
      };
      std::iota(order.begin(), order.end(), 0);
      std::sort(order.begin(), order.end(),
                [&](auto a, auto b) { return product(a) > product(b); });
      std::copy_n(order.begin(), kNeighbours, nearest.row(q));
    }
    return nearest;
  }

  void write(const std::string& path, const std::string& distance,
             const Matrix<std::int64_t>& neighbours) const {
    datasets::Hdf5Writer file(path);
    for (const auto& [name, part] : {std::pair{"train", &train_}, {"test", &learn_}}) {
      file.vectors(name, MatrixSource(part->view()), datasets::Stored::float32);
    }
    file.vectors("learn", MatrixSource(learn_.view()), datasets::Stored::float32);
    file.integers("learn_neighbors", neighbours.view());
    file.attribute("distance", distance);
    file.attribute("point_type", "float");
    file.commit();
  }

  static Matrix<float> unit(std::size_t rows, std::uint64_t seed) {
    Matrix<float> vectors = gaussian_vectors(rows, kDim, seed);
    for (std::size_t i = 0; i < rows; ++i) {
      float* row = vectors.row(i);
      const float length = std::sqrt(std::inner_product(row, row + kDim, row, 0.0F));
      std::transform(row, row + kDim, row, [length](float x) { return x / length; });
    }
    return vectors;
  }

  static nlohmann::json tuning(const std::vector<std::string>& arguments) {
    return json_lines(must(arguments)).at(0)["tuning"];
  }

  TemporaryFolder folder_;
  std::string set_ = folder_ / "vibe.hdf5";
  std::string index_ = folder_ / "index.obliq";
  const Matrix<float> train_ = unit(1500, 1);
  const Matrix<float> learn_ = unit(200, 2);
};

TEST_F(Vibe, TellTheirMetric) {
  for (const auto& [distance, metric] :
       {std::pair{"normalized", "cosine"}, {"ip", "ip"}, {"euclidean", "l2"}}) {
    write(set_, distance, neighbours());
    const auto built = json_lines(must({"build", set_, "-o", index_, "--json"})).at(0);
    EXPECT_EQ(built["metric"], metric) << distance;
    const auto named =
        json_lines(must({"build", set_, "-o", index_, "--metric", distance, "--json"})).at(0);
    EXPECT_EQ(named["metric"], metric) << distance;
  }
  write(set_, "hamming", neighbours());
  EXPECT_THAT(run_obliq({"build", set_, "-o", index_}).err, HasSubstr("'distance' is 'hamming'"));
}

TEST_F(Vibe, AreTunedWithTheTrueNeighboursThatTheyHold) {
  must({"build", set_, "-o", index_, "--quantizer", "lm2", "--no-tune"});
  const auto tuned = tuning({"tune", index_, "--learn-queries", set_, "--json"});
  EXPECT_EQ(tuned["queries"], 200);
  EXPECT_TRUE(tuned["exact_truth"].get<bool>());
  EXPECT_FALSE(tuned["from_base"].get<bool>());
  const auto built = tuning({"build", set_, "-o", folder_ / "other.obliq", "--quantizer", "lm2",
                             "--learn-queries", set_, "--json"});
  EXPECT_EQ(built, tuned);
  // Without them the index takes its own answers for the truth, and its codes of two bits for
  // perfect.
  const double known = tuned["ladders"].at(1)["max_recall"];
  EXPECT_LT(known, 0.9);
  const std::string copy = folder_ / "learn.fbin";
  must({"convert", set_ + ":learn", "-o", copy});
  const auto own = tuning({"tune", index_, "--learn-queries", copy, "--json"});
  EXPECT_FALSE(own["exact_truth"].get<bool>());
  const auto named = tuning({"tune", index_, "--learn-queries", copy, "--learn-neighbors",
                             set_ + ":learn_neighbors", "--json"});
  EXPECT_EQ(named, tuned);
}

TEST_F(Vibe, AreNotTakenForTheNeighboursOfOtherIds) {
  const std::string ids = folder_ / "ids.npy";
  std::vector<std::int64_t> numbers(train_.rows);
  std::iota(numbers.begin(), numbers.end(), 7000);
  datasets::write_ids(ids, {numbers.data(), numbers.size(), 1});
  must({"build", set_, "-o", index_, "--ids", ids, "--no-tune"});
  EXPECT_FALSE(tuning({"tune", index_, "--learn-queries", set_, "--json"})["exact_truth"]);
  const Outcome refused =
      run_obliq({"tune", index_, "--learn-queries", set_, "--learn-neighbors", set_});
  EXPECT_THAT(refused.err, HasSubstr("which is not in the index"));
  EXPECT_EQ(refused.exit_code, 2);
}

TEST_F(Vibe, AreRefusedByNameWhereTheFlagsDoNotFit) {
  EXPECT_THAT(run_obliq({"tune", index_, "--learn-neighbors", set_}).err,
              HasSubstr("--learn-queries"));
  EXPECT_THAT(run_obliq({"build", set_, "-o", index_, "--no-tune", "--learn-queries", set_}).err,
              HasSubstr("--no-tune"));
  EXPECT_THAT(run_obliq({"build", set_, "-o", "/dev/stdout", "--learn-queries", set_}).err,
              HasSubstr("is a stream"));
}

}  // namespace
}  // namespace obliq::tools
