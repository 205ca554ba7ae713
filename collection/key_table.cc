// A mapped file is believed only as far as it leads nowhere: each number is compared with what is
// there when it is used. That it is the file which the manifest names is checked when it is opened,
// its bytes by verify.
#include "collection/key_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "collection/key_check.h"
#include "collection/key_hash.h"
#include "index/segment/section_reader.h"
#include "storage/section_file.h"

namespace obliq {
namespace {

// Gathers small pieces before a sink gets them.
class Pieces {
 public:
  explicit Pieces(SectionSink& sink) : sink_(sink) { buffer_.reserve(kMost); }
  void add(std::span<const std::byte> piece) {
    if (buffer_.size() + piece.size() > kMost) end();
    buffer_.insert(buffer_.end(), piece.begin(), piece.end());
  }
  void end() {
    if (!buffer_.empty()) sink_.append(buffer_);
    buffer_.clear();
  }

 private:
  static constexpr std::size_t kMost = 1 << 16;
  SectionSink& sink_;
  std::vector<std::byte> buffer_;
};

template <typename T>
std::span<const T> values(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

}  // namespace

void write_keys(SectionSink& sink, std::uint64_t n, std::uint64_t seed, const KeySource& keys) {
  KeyInfo info = {n, 0, seed, 0};
  std::vector<std::uint64_t> places;
  places.reserve(n);
  Pieces pieces(sink);
  const auto add_offset = [&] { pieces.add(std::as_bytes(std::span(&info.bytes, 1))); };
  sink.begin("offsets", Need::required);
  add_offset();
  keys([&](std::string_view key) {
    places.push_back(std::uint64_t{hash_of_key(key, seed)} << 32 | places.size());
    info.bytes += key.size();
    add_offset();
  });
  pieces.end();
  std::sort(places.begin(), places.end());
  sink.add("places", std::as_bytes(std::span(places)), Need::required);
  sink.begin("bytes", Need::required);
  keys([&](std::string_view key) { pieces.add(std::as_bytes(std::span(key))); });
  pieces.end();
  sink.add("keys", std::as_bytes(std::span(&info, 1)), Need::required);
}

std::shared_ptr<const KeyTable> KeyTable::make(std::uint64_t n, std::uint64_t seed,
                                               const KeySource& keys) {
  const auto memory = std::make_shared<SectionMemory>();
  write_keys(*memory, n, seed, keys);
  auto table = std::make_shared<KeyTable>(KeyTable());
  table->offsets_ = values<std::uint64_t>(memory->written("offsets"));
  table->places_ = values<std::uint64_t>(memory->written("places"));
  table->bytes_ = memory->written("bytes");
  table->seed_ = seed;
  table->owner_ = memory;
  return table;
}

std::shared_ptr<const KeyTable> KeyTable::open(const std::string& path, std::uint64_t n,
                                               std::uint64_t seed) {
  SectionReader reader(path, Loading::mapped);
  constexpr std::array<std::string_view, 4> kKnown = {"offsets", "places", "bytes", "keys"};
  reader.file().require_known(kKnown);
  const KeyInfo info = reader.fixed_array<KeyInfo>("keys", 1, 1).front();
  if (info.n != n) reader.refuse("keys", fmt::format("{} keys, not {}", info.n, n));
  if (info.seed != seed || info.zero != 0) reader.refuse("keys", "of another collection");
  auto table = std::make_shared<KeyTable>(KeyTable());
  table->offsets_ = reader.array<std::uint64_t>("offsets", n + 1, 1);
  table->places_ = reader.array<std::uint64_t>("places", n, 1);
  table->bytes_ = reader.array<std::byte>("bytes", info.bytes, 1);
  table->seed_ = seed;
  table->file_bytes_ = reader.file().file_bytes();
  table->path_ = path;
  table->owner_ = reader.owner();
  return table;
}

void KeyTable::verify(const std::string& path, std::uint64_t n, std::uint64_t seed,
                      const std::function<bool(double)>& progress) {
  SectionFile(path).verify_all(progress);
  open(path, n, seed)->check_all();
}

std::string_view KeyTable::key(std::uint32_t rank) const {
  const std::uint64_t begin = offsets_[rank];
  const std::uint64_t end = offsets_[rank + std::size_t{1}];
  if (begin > end || end > bytes_.size()) {
    throw std::runtime_error(
        fmt::format("{}: key {} of {} is out of place; the file is damaged", path_, rank, n()));
  }
  return {reinterpret_cast<const char*>(bytes_.data()) + begin, end - begin};
}

// The first place whose hash is not below; n: none.
std::size_t KeyTable::first_place(std::uint32_t hash) const {
  const std::size_t n = places_.size();
  const auto is_below = [&](std::size_t i) { return places_[i] >> 32 < hash; };
  std::size_t low = static_cast<std::size_t>(std::uint64_t{hash} * n >> 32);
  std::size_t high = low;
  for (std::size_t step = 8; low > 0 && !is_below(low - 1); step *= 2) {
    high = low - 1;
    low -= std::min(low, step);
  }
  for (std::size_t step = 8; high < n && is_below(high); step *= 2) {
    low = high + 1;
    high += std::min(n - high, step);
  }
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    is_below(middle) ? low = middle + 1 : high = middle;
  }
  return low;
}

std::uint32_t KeyTable::find(std::string_view wanted, std::uint32_t hash) const {
  for (std::size_t i = first_place(hash); i < places_.size() && places_[i] >> 32 == hash; ++i) {
    const auto rank = static_cast<std::uint32_t>(places_[i]);
    if (rank >= n()) {
      throw std::runtime_error(
          fmt::format("{}: place {} is of key {} of {}; the file is damaged", path_, i, rank, n()));
    }
    if (key(rank) == wanted) return rank;
  }
  return kNoRank;
}

// Each rank has a key, and is found by it.
void KeyTable::check_all() const {
  const auto refuse = [&](std::size_t rank, std::string_view reason) {
    throw std::runtime_error(fmt::format("{}: key {} of {}: {}", path_, rank, n(), reason));
  };
  if (offsets_.front() != 0 || offsets_.back() != bytes_.size()) refuse(0, "offsets do not fit");
  for (std::uint32_t rank = 0; rank < n(); ++rank) {
    const std::string_view mine = key(rank);
    if (const std::string_view fault = fault_of_key(mine); !fault.empty()) refuse(rank, fault);
    if (find(mine, hash_of_key(mine, seed_)) != rank) refuse(rank, "it is not found by its hash");
  }
}

}  // namespace obliq
