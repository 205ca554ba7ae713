#include "collection/tiers.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "index/segment/tuning_section.h"

namespace obliq {
namespace {

constexpr std::size_t kSealedRows = 65536;
constexpr std::size_t kSealedBytes = std::size_t{64} << 20;
constexpr std::uint64_t kSealedLog = std::uint64_t{128} << 20;  // bytes
constexpr std::size_t kFanIn = 4;
constexpr std::size_t kMostTiers = 32;
constexpr std::size_t kGrowth = 16;  // of n, that a model serves

bool must_train(const Snapshot& now, const ManifestInfo& info) {
  if (now.model() == nullptr) return false;
  return now.is_flat() ? now.n() >= info.train_at : now.n() / kGrowth >= now.model()->info.n;
}

// Vectors that are replaced again and again, or removed, leave few rows, but make the log longer.
// A file that the log alone names waits for it to be merged.
bool must_seal(const Snapshot& now, std::uint64_t log_bytes) {
  std::size_t rows = 0;
  std::size_t bytes = 0;
  for (const Part& part : now.parts()) {
    if (part.logged != 0) return true;
    if (part.file != 0) continue;
    rows += part.rows();
    bytes += part.bytes();
  }
  return rows >= kSealedRows || bytes >= kSealedBytes || log_bytes >= kSealedLog;
}

// 0 up to four times the rows that are sealed, and one more for each factor of four.
std::size_t tier_of(std::size_t rows) {
  std::size_t tier = 0;
  for (std::size_t most = kFanIn * kSealedRows; rows >= most && tier + 1 < kMostTiers;) {
    rows /= kFanIn;
    ++tier;
  }
  return tier;
}

bool must_tune(const Snapshot& now, const ManifestInfo& info) {
  if (now.model() == nullptr || now.is_flat()) return false;
  const std::uint64_t n = now.n();
  const std::uint64_t then = info.tuned_for;
  return n >= kLeastTuned && (n > then + then / 5 || n < then - then / 5);
}

std::vector<Part> files_to_merge(const Snapshot& now) {
  std::array<std::vector<Part>, kMostTiers> tiers;
  for (const Part& part : now.parts()) {
    if (part.file == 0 || part.logged != 0) continue;
    if (part.live() < part.rows() - part.rows() / 4) return {part};
    tiers[tier_of(part.live())].push_back(part);
  }
  for (const std::vector<Part>& tier : tiers) {
    if (tier.size() >= kFanIn) return tier;
  }
  return {};
}

}  // namespace

Work next_work(const Snapshot& now, const ManifestInfo& info, bool in_memory,
               std::uint64_t log_bytes) {
  Work work;
  work.train = must_train(now, info);
  work.seal = !in_memory && must_seal(now, log_bytes);
  if (!in_memory) work.merge = files_to_merge(now);
  work.tune = work.nothing() && must_tune(now, info);
  return work;
}

}  // namespace obliq
