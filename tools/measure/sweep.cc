#include "tools/measure/sweep.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "core/parallel.h"

namespace obliq::tools {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Where a searcher writes its answers.
struct Answers {
  Answers(std::size_t queries, std::size_t k) : distances(queries, k), ids(queries, k) {}
  Matrix<float> distances;
  Matrix<std::int64_t> ids;
};

/// Times one pass over the queries; appends each call's microseconds in single mode.
double time_pass(const Searcher& searcher, MatrixView<float> queries, const SweepOptions& options,
                 Answers& answers, std::vector<float>& latencies_us) {
  const auto start = Clock::now();
  if (options.mode == Mode::batch) {
    searcher.search(queries, options.k, options.threads, answers.distances.row(0),
                    answers.ids.row(0), nullptr);
    return seconds_since(start);
  }
  const std::size_t before = latencies_us.size();
  latencies_us.resize(before + queries.rows);
  parallel_for(queries.rows, 1, options.threads, [&](std::size_t q, std::size_t, int) {
    const auto called = Clock::now();
    searcher.search(queries.slice(q, 1), options.k, 1, answers.distances.row(q), answers.ids.row(q),
                    nullptr);
    latencies_us[before + q] = static_cast<float>(1e6 * seconds_since(called));
  });
  return seconds_since(start);
}

/// A point while it is being measured.
struct Measurement {
  Searcher* searcher;
  Point point;
  std::vector<double> seconds;      // one a round
  std::vector<float> latencies_us;  // one per query and round
};

Measurement measurement_of(Searcher& searcher, std::size_t queries, const SweepOptions& options) {
  Measurement measurement{&searcher, {}, {}, {}};
  Point& point = measurement.point;
  point.method = searcher.method();
  point.simd = searcher.simd();
  point.bytes_per_vector = searcher.bytes_per_vector();
  point.build_seconds = searcher.build_seconds();
  point.queries = queries;
  point.options = options;
  return measurement;
}

std::vector<Measurement> plan(std::span<const Contestant> contestants, std::size_t queries,
                              const SweepOptions& options) {
  std::vector<Measurement> plan;
  for (const Contestant& contestant : contestants) {
    if (contestant.by_default) {
      plan.push_back(measurement_of(*contestant.searcher, queries, options));
    }
    for (const std::size_t nprobe : contestant.nprobe) {
      plan.push_back(measurement_of(*contestant.searcher, queries, options));
      plan.back().point.nprobe = nprobe;
    }
    for (const double recall : contestant.target_recall) {
      plan.push_back(measurement_of(*contestant.searcher, queries, options));
      plan.back().point.target_recall = recall;
    }
  }
  return plan;
}

void first_pass(Measurement& measurement, const Questions& questions, Answers& answers) {
  Point& point = measurement.point;
  measurement.searcher->search(questions.queries, point.options.k, point.options.threads,
                               answers.distances.row(0), answers.ids.row(0), &point.counters);
  point.recall = recall_at(answers.ids.view(), *questions.truth);
}

/// The value below which `share` of the values lie (nearest rank). Reorders them.
template <typename T>
double quantile(std::vector<T>& values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rank),
                   values.end());
  return static_cast<double>(values[rank]);
}

Point summarise(Measurement& measurement) {
  Point& point = measurement.point;
  const auto queries = static_cast<double>(point.queries);
  const auto [least, greatest] =
      std::minmax_element(measurement.seconds.begin(), measurement.seconds.end());
  point.qps_max = queries / *least;
  point.qps_min = queries / *greatest;
  point.qps = queries / quantile(measurement.seconds, 0.5);
  point.p50_us = quantile(measurement.latencies_us, 0.50);
  point.p99_us = quantile(measurement.latencies_us, 0.99);
  return point;
}

}  // namespace

std::vector<Point> sweep(std::span<const Contestant> contestants, const Questions& questions,
                         const SweepOptions& options, const Progress& progress) {
  const std::size_t queries = questions.queries.rows;
  if (queries == 0) throw std::invalid_argument("the set has no queries");
  if (options.repeat == 0) throw std::invalid_argument("repeat must be at least 1, not 0");
  Answers answers(queries, options.k);
  std::vector<Measurement> measurements = plan(contestants, queries, options);
  const auto steps = static_cast<double>(measurements.size() * (options.repeat + 1));
  std::size_t done = 0;
  for (std::size_t round = 0; round <= options.repeat; ++round) {
    for (Measurement& measurement : measurements) {
      report(progress, "measuring", static_cast<double>(done++) / steps);
      if (measurement.point.nprobe > 0) {
        measurement.searcher->set_nprobe(measurement.point.nprobe);
      } else {
        measurement.searcher->set_target_recall(measurement.point.target_recall);
      }
      if (round == 0) {
        first_pass(measurement, questions, answers);
      } else {
        measurement.seconds.push_back(time_pass(*measurement.searcher, questions.queries, options,
                                                answers, measurement.latencies_us));
      }
    }
  }
  std::vector<Point> points;
  for (Measurement& measurement : measurements) points.push_back(summarise(measurement));
  return points;
}

}  // namespace obliq::tools
