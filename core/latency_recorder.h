// Times of calls, counted in buckets of powers of two from any number of threads without a lock:
// a reading of the clock before and after, and two additions.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "obliq/collection_stats.h"

namespace obliq {

class LatencyRecorder {
 public:
  using Clock = std::chrono::steady_clock;

  void record(Clock::duration took) {
    const auto ns = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(took).count());
    counts_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
    nanoseconds_.fetch_add(ns, std::memory_order_relaxed);
  }

  /// While others record, some calls may be in one number and not yet in another.
  LatencyHistogram read() const {
    LatencyHistogram read;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      read.counts[i] = counts_[i].load(std::memory_order_relaxed);
    }
    read.seconds = 1e-9 * static_cast<double>(nanoseconds_.load(std::memory_order_relaxed));
    return read;
  }

  /// Bucket i ends with 2^i us.
  static std::size_t bucket_of(std::uint64_t ns) {
    const std::size_t bits = ns == 0 ? 0 : std::bit_width((ns - 1) / 1000);
    return bits < LatencyHistogram::kBuckets ? bits : LatencyHistogram::kBuckets - 1;
  }

 private:
  std::array<std::atomic<std::uint64_t>, LatencyHistogram::kBuckets> counts_ = {};
  std::atomic<std::uint64_t> nanoseconds_ = 0;
};

/// Records how long it lives.
class LatencyTimer {
 public:
  explicit LatencyTimer(LatencyRecorder& recorder) : recorder_(recorder) {}
  ~LatencyTimer() { recorder_.record(LatencyRecorder::Clock::now() - start_); }
  LatencyTimer(const LatencyTimer&) = delete;
  LatencyTimer& operator=(const LatencyTimer&) = delete;

 private:
  LatencyRecorder& recorder_;
  const LatencyRecorder::Clock::time_point start_ = LatencyRecorder::Clock::now();
};

}  // namespace obliq
