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

constexpr double kMostDrift = .5;  // residuals half as long again

bool must_train(const Snapshot& now, const ManifestInfo& info, const History& history) {
  if (now.model() == nullptr) return false;
  if (now.is_flat()) return now.n() >= info.train_at;
  if (now.n() / kGrowth >= now.model()->info.n) return true;
  const Drift drift = drift_of(now, history);
  return drift.share > kMostDrift && drift.vectors > now.n() / 4 && now.n() >= kLeastTuned;
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

bool must_tune(const Snapshot& now) {
  if (now.model() == nullptr || now.is_flat()) return false;
  return now.n() >= kLeastTuned && (now.tuned().n == 0 || now.tuned().is_outdated());
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

// Segments sum |r|^2 over the model's mean, of all that was ever encoded into them; what was there
// when the model was trained is taken out.
Drift drift_of(const Snapshot& now, const History& history) {
  constexpr double kUnits = 1 << 20;
  if (now.model() == nullptr || now.is_flat()) return {};
  std::uint64_t encoded = 0;
  std::uint64_t sum = 0;
  for (const Part& part : now.parts()) {
    encoded += part.segment.info.encoded;
    sum += part.segment.info.drift;
  }
  if (encoded <= history.trained_encoded || sum < history.trained_drift) return {};
  const std::uint64_t added = encoded - history.trained_encoded;
  const double mean =
      static_cast<double>(sum - history.trained_drift) / kUnits / static_cast<double>(added);
  return {mean - 1, added};
}

Work next_work(const Snapshot& now, const ManifestInfo& info, const History& history,
               bool in_memory, std::uint64_t log_bytes) {
  Work work;
  work.train = must_train(now, info, history);
  work.seal = !in_memory && must_seal(now, log_bytes);
  if (!in_memory) work.merge = files_to_merge(now);
  work.tune = work.nothing() && must_tune(now);
  return work;
}

}  // namespace obliq
