// The section is read field by field of three structs that are the bytes of the file; what callers
// see (obliq/tuning.h) is made from them once they are checked.
#include "index/segment/tuning_section.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

namespace obliq {
namespace {

constexpr std::uint32_t kFromBase = 1;
constexpr std::uint32_t kExactTruth = 2;

struct Header {
  std::uint32_t queries = 0;
  std::uint32_t flags = 0;
  std::uint32_t ladders = 0;
  std::uint32_t zero = 0;
};

struct LadderHeader {
  std::uint32_t k = 0;
  float max_recall = 0;
  std::uint32_t targets = 0;
  std::uint32_t zero = 0;
};

struct StoredTarget {
  float recall = 0;
  float threshold = 0;
  std::uint32_t nprobe = 0;
  std::uint32_t uses_stop_rule = 0;  // 0 or 1
  float confidence = 0;
};
static_assert(sizeof(Header) == 16 && sizeof(LadderHeader) == 16 && sizeof(StoredTarget) == 20);

void require(bool holds, std::string_view what) {
  if (!holds) throw std::invalid_argument(std::string(what));
}

// A count as it is stored. Lists, k and learn queries are all fewer than 2^32.
std::uint32_t stored(std::size_t count) { return static_cast<std::uint32_t>(count); }

template <typename T>
void append(std::vector<std::byte>& bytes, const T& value) {
  bytes.resize(bytes.size() + sizeof value);
  std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
}

template <typename T>
T take(std::span<const std::byte>& bytes) {
  require(bytes.size() >= sizeof(T), "it ends too early");
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return value;
}

void check_target(const StoredTarget& target, const TunedLadder& ladder) {
  require(target.recall > 0 && target.recall < 1, "a target is not in (0, 1)");
  require(target.threshold < INFINITY, "a threshold is not a number");
  require(target.nprobe > 0, "nprobe is 0");
  require(target.uses_stop_rule <= 1, "a choice is neither 0 nor 1");
  require(target.confidence > 0 && target.confidence <= 1, "a confidence is not in (0, 1]");
  if (ladder.targets.empty()) return;
  const TunedTarget& before = ladder.targets.back();
  require(before.recall < target.recall, "targets do not rise");
  require(before.threshold >= target.threshold, "thresholds rise");
  require(before.nprobe <= target.nprobe, "nprobe falls");
}

TunedLadder take_ladder(std::span<const std::byte>& bytes, std::size_t last_k) {
  const auto header = take<LadderHeader>(bytes);
  require(header.k > last_k, "k does not rise");
  require(header.max_recall >= 0 && header.max_recall <= 1, "a max_recall is not in [0, 1]");
  require(header.targets > 0 && header.zero == 0, "a ladder's header is wrong");
  TunedLadder ladder = {header.k, header.max_recall, {}};
  for (std::uint32_t i = 0; i < header.targets; ++i) {
    const auto target = take<StoredTarget>(bytes);
    check_target(target, ladder);
    ladder.targets.push_back({target.recall, target.threshold, target.nprobe,
                              target.uses_stop_rule == 1, target.confidence});
  }
  return ladder;
}

}  // namespace

std::size_t tuning_bytes(std::size_t ladders, std::size_t targets) {
  return sizeof(Header) + ladders * (sizeof(LadderHeader) + targets * sizeof(StoredTarget));
}

std::vector<std::byte> write_tuning(const Tuning& tuning) {
  std::vector<std::byte> bytes;
  const std::uint32_t flags =
      (tuning.from_base ? kFromBase : 0) | (tuning.exact_truth ? kExactTruth : 0);
  append(bytes, Header{stored(tuning.queries), flags, stored(tuning.ladders.size()), 0});
  for (const TunedLadder& ladder : tuning.ladders) {
    append(bytes,
           LadderHeader{stored(ladder.k), ladder.max_recall, stored(ladder.targets.size()), 0});
    for (const TunedTarget& target : ladder.targets) {
      append(bytes, StoredTarget{target.recall, target.threshold, stored(target.nprobe),
                                 target.uses_stop_rule ? 1U : 0U, target.confidence});
    }
  }
  return bytes;
}

Tuning read_tuning(std::span<const std::byte> bytes) {
  const auto header = take<Header>(bytes);
  require(header.queries > 0 && header.ladders > 0, "it is empty");
  require(header.flags <= (kFromBase | kExactTruth) && header.zero == 0, "its flags are unknown");
  Tuning tuning;
  tuning.queries = header.queries;
  tuning.from_base = (header.flags & kFromBase) != 0;
  tuning.exact_truth = (header.flags & kExactTruth) != 0;
  std::size_t last_k = 0;
  for (std::uint32_t i = 0; i < header.ladders; ++i) {
    tuning.ladders.push_back(take_ladder(bytes, last_k));
    last_k = tuning.ladders.back().k;
  }
  require(bytes.empty(), fmt::format("{} bytes too many", bytes.size()));
  return tuning;
}

}  // namespace obliq
