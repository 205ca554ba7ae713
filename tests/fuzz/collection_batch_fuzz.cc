// Batches of log records (collection/batch_record.h). An input edits a sound batch, number by
// number, or is one from the second byte on. What is read becomes a segment, is merged with
// another one and searched; its columns are written again as they were, and an update copies its
// rows.
//
//     0, then a batch | 1, then edits: place, uint16 | bytes of it, uint8 | number, uint64
//
// and 2 where it has keys, 4 where it has columns, 8 where it is an update, which has columns.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "collection/batch_record.h"
#include "collection/column_record.h"
#include "collection/key_hash.h"
#include "collection/part_keys.h"
#include "collection/snapshot.h"
#include "core/random.h"
#include "index/build/copied_rows.h"
#include "index/build/merge.h"
#include "index/build/segment_encoder.h"
#include "index/model_access.h"
#include "obliq/model.h"

namespace obliq::fuzzing {
namespace {

constexpr std::size_t kDim = 8;

Matrix<float> vectors_of(std::uint64_t seed, std::size_t n) {
  Random random(seed);
  Matrix<float> vectors(n, kDim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

const ColumnSchema kSchema = {{"i", ColumnType::int64},   {"f", ColumnType::float64},
                              {"b", ColumnType::boolean}, {"t", ColumnType::timestamp},
                              {"k", ColumnType::keyword}, {"s", ColumnType::keywords},
                              {"x", ColumnType::bytes},   {"n", ColumnType::keyword}};

/// Values of all but the last, one in five of them NULL.
Columns columns_of(std::size_t n) {
  Columns columns(kSchema.begin(), kSchema.end() - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const std::string text = "text " + std::to_string(i % 7);
    const std::vector<std::string_view> set = {"a", text};
    for (ColumnValues& column : columns) {
      if (i % 5 == 4 && column.name() != "f") {
        column.add_null();
      } else if (column.type() == ColumnType::float64) {
        column.add(.5 * static_cast<double>(i));
      } else if (column.type() == ColumnType::keywords) {
        column.add(std::span(set).first(i % 3));
      } else if (column.name() == "k" || column.name() == "x") {
        column.add(text);
      } else {
        column.add(static_cast<std::int64_t>(i % 2));
      }
    }
  }
  return columns;
}

BatchKind kind_of(std::uint8_t byte) {
  const bool is_update = byte / 8 % 2 == 1;
  return {byte / 2 % 2 == 1, is_update || byte / 4 % 2 == 1, is_update};
}

/// A model, a segment of it, and the bytes of a batch.
class Sound {
 public:
  Sound() {
    BuildOptions options;
    options.nlist = 4;
    options.quantizer = "lm4";
    options.raw = RawTier::fp16;
    options.spill = .5;
    options.threads = 1;
    const Matrix<float> base = vectors_of(1, 60);
    used_.model = ModelAccess::get(Model::train(base.view(), options));
    segment_ = arrange(batch_of(2, 100), {});
  }
  const ModelInUse& used() const { return used_; }
  const Segment& segment() const { return segment_; }
  std::vector<std::byte> bytes(BatchKind kind) const {
    EncodedBatch batch = batch_of(3, 200);
    if (kind.has_keys) {
      for (const std::int64_t id : batch.ids) batch.keys.add("key " + std::to_string(id));
    }
    std::vector<std::byte> bytes;
    const auto append = [&](std::span<const std::byte> part) {
      bytes.insert(bytes.end(), part.begin(), part.end());
    };
    if (kind.has_columns) {
      const std::string columns = write_column_values(columns_of(batch.ids.size()));
      const std::uint64_t size = columns.size();
      append(std::as_bytes(std::span(&size, 1)));
      append(std::as_bytes(std::span(columns)));
    }
    const BatchHead head = batch_head(batch, used_.model->info.id);
    for (const auto part : batch_bytes(batch, head)) append(part);
    return bytes;
  }
  Segment arrange(EncodedBatch batch, const Columns& columns) const {
    return arrange_segment(used_.model, std::move(batch.vectors),
                           {batch.ids.data(), batch.ids.size(), 1}, columns);
  }

 private:
  EncodedBatch batch_of(std::uint64_t seed, std::int64_t first) const {
    const Matrix<float> vectors = vectors_of(seed, 20);
    const MatrixSource source(vectors.view());
    EncodeInput input = {source};
    input.chunk_rows = vectors.rows;
    input.threads = 1;
    EncodedBatch batch;
    batch.ids.resize(vectors.rows);
    std::iota(batch.ids.begin(), batch.ids.end(), first);
    batch.vectors = VectorEncoder(*used_.model).encode(input);
    return batch;
  }

  ModelInUse used_;
  Segment segment_;
};

// Each key is found, and no two are the same.
void use_keys(const EncodedBatch& batch) {
  constexpr std::uint64_t kSeed = 1;
  const std::vector<std::string_view> keys = batch.keys.views();
  const auto table = table_of(batch.ids, keys, kSeed);
  std::vector<bool> found(keys.size());
  for (const std::string_view key : keys) {
    const std::uint32_t rank = table->find(key, hash_of_key(key, kSeed));
    if (rank >= keys.size() || found[rank]) std::abort();
    found[rank] = true;
  }
}

std::vector<std::byte> edited(const std::vector<std::byte>& sound,
                              std::span<const std::uint8_t> edits) {
  constexpr std::size_t kEdit = 11;
  std::vector<std::byte> bytes = sound;
  for (; edits.size() >= kEdit; edits = edits.subspan(kEdit)) {
    std::uint16_t place = 0;
    std::memcpy(&place, edits.data(), sizeof place);
    const std::size_t at = place % bytes.size();
    const std::size_t count = std::min<std::size_t>(1 + edits[2] % 8, bytes.size() - at);
    std::memcpy(bytes.data() + at, edits.data() + 3, count);
  }
  return bytes;
}

// The same values are the same bytes.
void use_columns(const Columns& columns, std::span<const std::byte> bytes) {
  const std::string again = write_column_values(columns);
  if (std::memcmp(again.data(), bytes.data() + sizeof(std::uint64_t), again.size()) != 0) {
    std::abort();
  }
}

// What an update would copy can be logged and read.
void copy(const Sound& sound, const Segment& segment) {
  std::vector<CopiedRow> rows;
  EncodedBatch batch;
  batch.is_update = true;
  for (std::uint32_t row = 0; row < segment.info.rows; ++row) {
    rows.push_back({&segment, row});
    batch.ids.push_back(segment.ids[row]);
  }
  batch.vectors = copy_rows(*sound.used().model, rows);
  try {
    check_batch(batch, *sound.used().model);
  } catch (const std::runtime_error&) {  // numbers that no vector has
  }
}

void use(const Sound& sound, std::span<const std::byte> bytes, BatchKind kind) {
  std::optional<ReadBatch> read;
  try {
    read = read_batch(bytes, *sound.used().model, kSchema, kind);
  } catch (const std::runtime_error&) {
    return;
  }
  if (kind.has_keys) use_keys(read->batch);
  if (kind.has_columns) use_columns(read->columns, bytes);
  std::vector<Part> parts(2);
  parts[0].segment = sound.segment();
  parts[1].segment = sound.arrange(std::move(read->batch), read->columns);
  copy(sound, parts[1].segment);
  const auto schema = std::make_shared<const ColumnSchema>(kSchema);
  const Matrix<float> queries = vectors_of(4, 2);
  const SearchOptions options = {.k = 30, .nprobe = 4, .confidence = 1, .threads = 1};
  const Snapshot both(sound.used(), parts, {}, 1, 0, schema);
  both.index().search(queries.view(), options);
  try {
    Part merged;
    merged.segment = merge_in_memory(sound.used().model, {{parts[0].segment, "sound", nullptr},
                                                          {parts[1].segment, "read", nullptr}});
    Snapshot(sound.used(), {merged}, {}, 1, 0, schema).index().search(queries.view(), options);
  } catch (const std::invalid_argument&) {  // an id of both
  }
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::Sound sound;
  if (size == 0) return 0;
  const std::span<const std::uint8_t> rest = {data + 1, size - 1};
  const obliq::BatchKind kind = obliq::fuzzing::kind_of(data[0]);
  if (data[0] % 2 == 0) {
    obliq::fuzzing::use(sound, std::as_bytes(rest), kind);
  } else {
    obliq::fuzzing::use(sound, obliq::fuzzing::edited(sound.bytes(kind), rest), kind);
  }
  return 0;
}
