// Sizes follow from n, s, the model and the lengths of keys, and are compared with the bytes
// present before anything is allocated. What an encoder could not have written is refused, since
// nothing later checks it.
#include "collection/batch_record.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <unordered_set>
#include <utility>

#include "collection/column_record.h"
#include "collection/key_check.h"
#include "core/kernels/kernels.h"
#include "index/segment/raw_tier.h"

namespace obliq {
namespace {

static_assert(sizeof(EncodedNumbers) == 40 && std::is_trivially_copyable_v<EncodedNumbers>);

[[noreturn]] void refuse(const std::string& reason) { throw std::runtime_error(reason); }

// Takes arrays from the front of bytes that are known to be enough.
class Arrays {
 public:
  explicit Arrays(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <typename T>
  void take(std::size_t count, std::vector<T>& out) {
    out.resize(count);
    if (count > 0) std::memcpy(out.data(), bytes_.data(), count * sizeof(T));
    bytes_ = bytes_.subspan(count * sizeof(T));
  }
  std::span<const std::byte> rest() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

struct Sizes {
  std::uint64_t each;     // bytes of a vector
  std::uint64_t spilled;  // bytes that a spilled one has besides
};

Sizes sizes_of(const TrainedModel& model, bool has_keys) {
  const std::uint64_t entry =
      sizeof(std::uint32_t) + sizeof(EncodedNumbers) + plane_bytes(model.dim());
  return {sizeof(std::int64_t) + entry + model.row_shape.bytes() +
              raw_bytes(model.raw_tier(), model.dim()) + (has_keys ? sizeof(std::uint32_t) : 0),
          sizeof(std::uint32_t) + entry};
}

// `may_be_far`: f_add may be -infinity, of a spilled entry that was copied.
void check_numbers(const std::vector<EncodedNumbers>& all, bool may_be_far) {
  constexpr float kFar = -std::numeric_limits<float>::infinity();
  for (const EncodedNumbers& numbers : all) {
    bool finite = (std::isfinite(numbers.entry_add) || (may_be_far && numbers.entry_add == kFar)) &&
                  std::isfinite(numbers.entry_rescale) && std::isfinite(numbers.row_add) &&
                  std::isfinite(numbers.r2) && numbers.r2 >= 0;
    for (const float factor : numbers.factors) finite = finite && std::isfinite(factor);
    if (!finite) refuse("a vector has a number that is not finite");
  }
}

void check_lists(const EncodedVectors& vectors, std::size_t nlist) {
  for (const auto* lists : {&vectors.primaries.lists, &vectors.spilled.lists}) {
    for (const std::uint32_t list : *lists) {
      if (list >= nlist) refuse(fmt::format("a vector is in list {} of {}", list, nlist));
    }
  }
  for (std::size_t i = 0; i < vectors.owner.size(); ++i) {
    const std::uint32_t owner = vectors.owner[i];
    if (owner >= vectors.primaries.lists.size() || (i > 0 && owner <= vectors.owner[i - 1])) {
      refuse(fmt::format("spilled entry {} is of vector {}, out of order", i, owner));
    }
    if (vectors.primaries.lists[owner] == vectors.spilled.lists[i]) {
      refuse(fmt::format("vector {} is in one list twice", owner));
    }
  }
}

void check_ids(const std::vector<std::int64_t>& ids) {
  std::unordered_set<std::int64_t> seen;
  for (const std::int64_t id : ids) {
    if (id == -1 || !seen.insert(id).second) refuse(fmt::format("id {} comes twice, or is -1", id));
  }
}

EncodedBatch take_arrays(Arrays& arrays, const BatchHead& head, const TrainedModel& model) {
  EncodedBatch batch;
  EncodedVectors& vectors = batch.vectors;
  const std::size_t plane = plane_bytes(model.dim());
  arrays.take(head.n, batch.ids);
  arrays.take(head.n, vectors.primaries.lists);
  arrays.take(head.spilled, vectors.owner);
  arrays.take(head.spilled, vectors.spilled.lists);
  arrays.take(head.n, vectors.primaries.numbers);
  arrays.take(head.spilled, vectors.spilled.numbers);
  arrays.take(head.n * plane, vectors.primaries.signs);
  arrays.take(head.spilled * plane, vectors.spilled.signs);
  arrays.take(head.n * model.row_shape.bytes(), vectors.rows);
  arrays.take(head.n * raw_bytes(model.raw_tier(), model.dim()), vectors.raw);
  return batch;
}

// The rest of a batch is what the lengths say, each key fit for one and there once.
void take_keys(std::span<const std::byte> rest, KeyList& keys) {
  std::uint64_t bytes = 0;
  for (const std::uint32_t length : keys.lengths) bytes += length;
  if (bytes != rest.size()) {
    refuse(fmt::format("{} bytes of keys, expected {}", rest.size(), bytes));
  }
  keys.bytes.assign(reinterpret_cast<const char*>(rest.data()), rest.size());
  std::unordered_set<std::string_view> seen;
  for (const std::string_view key : keys.views()) {
    const std::string_view fault = fault_of_key(key);
    if (!fault.empty()) refuse(fmt::format("id {}: {}", shown_key(key), fault));
    if (!seen.insert(key).second) refuse(fmt::format("id {} comes twice", shown_key(key)));
  }
}

constexpr std::array kBatches = {
    std::pair{ChangeKind::add, BatchKind{false, false, false}},
    std::pair{ChangeKind::add_keyed, BatchKind{true, false, false}},
    std::pair{ChangeKind::add_with_columns, BatchKind{false, true, false}},
    std::pair{ChangeKind::add_keyed_with_columns, BatchKind{true, true, false}},
    std::pair{ChangeKind::update, BatchKind{false, true, true}},
    std::pair{ChangeKind::update_keyed, BatchKind{true, true, true}},
};

}  // namespace

std::optional<BatchKind> batch_kind(std::uint8_t type) {
  for (const auto& [change, kind] : kBatches) {
    if (type == static_cast<std::uint8_t>(change)) return kind;
  }
  return {};
}

ChangeKind change_kind(BatchKind kind) {
  for (const auto& [change, known] : kBatches) {
    if (known == kind) return change;
  }
  throw std::logic_error("no change is of this kind");
}

void KeyList::add(std::string_view key) {
  lengths.push_back(static_cast<std::uint32_t>(key.size()));
  bytes += key;
}

std::vector<std::string_view> KeyList::views() const {
  std::vector<std::string_view> all;
  all.reserve(lengths.size());
  std::string_view rest = bytes;
  for (const std::uint32_t length : lengths) {
    all.push_back(rest.substr(0, length));
    rest.remove_prefix(length);
  }
  return all;
}

BatchHead batch_head(const EncodedBatch& batch, std::uint64_t model) {
  return {model, batch.ids.size(), batch.vectors.owner.size(), batch.next_id};
}

std::vector<std::span<const std::byte>> batch_bytes(const EncodedBatch& batch,
                                                    const BatchHead& head) {
  const EncodedVectors& vectors = batch.vectors;
  const auto bytes = [](const auto& values) { return std::as_bytes(std::span(values)); };
  return {std::as_bytes(std::span(&head, 1)),
          bytes(batch.ids),
          bytes(vectors.primaries.lists),
          bytes(vectors.owner),
          bytes(vectors.spilled.lists),
          bytes(vectors.primaries.numbers),
          bytes(vectors.spilled.numbers),
          bytes(vectors.primaries.signs),
          bytes(vectors.spilled.signs),
          bytes(vectors.rows),
          bytes(vectors.raw),
          bytes(batch.keys.lengths),
          bytes(batch.keys.bytes)};
}

namespace {

EncodedBatch read_encoded(std::span<const std::byte> bytes, const TrainedModel& model,
                          bool has_keys) {
  BatchHead head;
  if (bytes.size() < sizeof head) refuse(fmt::format("a batch of {} bytes", bytes.size()));
  std::memcpy(&head, bytes.data(), sizeof head);
  if (head.model != model.info.id) {
    refuse(fmt::format("a batch of the model {:016x}, not {:016x}", head.model, model.info.id));
  }
  const Sizes sizes = sizes_of(model, has_keys);
  const std::uint64_t left = bytes.size() - sizeof head;
  const bool fits = head.n <= left / sizes.each && head.spilled <= head.n &&
                    head.n * sizes.each + head.spilled * sizes.spilled <= left;
  if (!fits || (!has_keys && head.n * sizes.each + head.spilled * sizes.spilled != left)) {
    refuse(fmt::format("{} vectors, {} of them spilled, in {} bytes", head.n, head.spilled, left));
  }
  Arrays arrays(bytes.subspan(sizeof head));
  EncodedBatch batch = take_arrays(arrays, head, model);
  if (has_keys) {
    arrays.take(head.n, batch.keys.lengths);
    take_keys(arrays.rest(), batch.keys);
  }
  batch.next_id = head.next_id;
  return batch;
}

// Takes the columns from the front of a batch.
std::span<const std::byte> take_columns(std::span<const std::byte>& bytes) {
  std::uint64_t size = 0;
  if (bytes.size() < sizeof size) refuse(fmt::format("a batch of {} bytes", bytes.size()));
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes = bytes.subspan(sizeof size);
  if (size > bytes.size()) {
    refuse(fmt::format("{} bytes of columns, there are {}", size, bytes.size()));
  }
  const auto columns = bytes.first(size);
  bytes = bytes.subspan(size);
  return columns;
}

}  // namespace

ReadBatch read_batch(std::span<const std::byte> bytes, const TrainedModel& model,
                     const ColumnSchema& schema, BatchKind kind) {
  std::span<const std::byte> columns;
  if (kind.has_columns) columns = take_columns(bytes);
  ReadBatch read;
  read.batch = read_encoded(bytes, model, kind.has_keys);
  read.batch.is_update = kind.is_update;
  check_batch(read.batch, model);
  if (kind.has_columns) read.columns = read_column_values(columns, read.batch.ids.size(), schema);
  return read;
}

void check_batch(const EncodedBatch& batch, const TrainedModel& model) {
  check_ids(batch.ids);
  check_lists(batch.vectors, model.nlist());
  check_numbers(batch.vectors.primaries.numbers, false);
  check_numbers(batch.vectors.spilled.numbers, batch.is_update);
}

SegmentRecord read_segment_record(std::span<const std::byte> bytes, const TrainedModel& model) {
  SegmentRecord record;
  if (bytes.size() != sizeof record) {
    refuse(fmt::format("the name of a segment has {} bytes", bytes.size()));
  }
  std::memcpy(&record, bytes.data(), sizeof record);
  if (record.model != model.info.id) {
    refuse(fmt::format("a segment of the model {:016x}, not {:016x}", record.model, model.info.id));
  }
  return record;
}

std::vector<std::int64_t> read_removal(std::span<const std::byte> bytes) {
  if (bytes.size() % sizeof(std::int64_t) != 0) {
    refuse(fmt::format("a removal of {} bytes", bytes.size()));
  }
  std::vector<std::int64_t> ids;
  Arrays(bytes).take(bytes.size() / sizeof(std::int64_t), ids);
  return ids;
}

}  // namespace obliq
