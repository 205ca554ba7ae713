// Batches of log records (collection/batch_record.h). An input edits a sound batch, number by
// number, or is one from the second byte on. What is read becomes a segment, is merged with
// another one and searched.
//
//     0, then a batch | 1, then edits: place, uint16 | bytes of it, uint8 | number, uint64
//
// 2 and 3 are the same of a batch with keys.
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
#include "collection/key_hash.h"
#include "collection/part_keys.h"
#include "collection/snapshot.h"
#include "core/random.h"
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
    segment_ = arrange(batch_of(2, 100));
    EncodedBatch batch = batch_of(3, 200);
    bytes_ = bytes_of(batch);
    for (const std::int64_t id : batch.ids) batch.keys.add("key " + std::to_string(id));
    keyed_bytes_ = bytes_of(batch);
  }
  const ModelInUse& used() const { return used_; }
  const Segment& segment() const { return segment_; }
  const std::vector<std::byte>& bytes(bool keyed) const { return keyed ? keyed_bytes_ : bytes_; }
  Segment arrange(EncodedBatch batch) const {
    return arrange_segment(used_.model, std::move(batch.vectors),
                           {batch.ids.data(), batch.ids.size(), 1});
  }

 private:
  std::vector<std::byte> bytes_of(const EncodedBatch& batch) const {
    std::vector<std::byte> bytes;
    const BatchHead head = batch_head(batch, used_.model->info.id);
    for (const auto part : batch_bytes(batch, head)) {
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    return bytes;
  }
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
  std::vector<std::byte> bytes_;
  std::vector<std::byte> keyed_bytes_;
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

void use(const Sound& sound, std::span<const std::byte> bytes, bool keyed) {
  std::optional<EncodedBatch> batch;
  try {
    batch = read_batch(bytes, *sound.used().model, keyed ? ChangeKind::add_keyed : ChangeKind::add);
  } catch (const std::runtime_error&) {
    return;
  }
  if (keyed) use_keys(*batch);
  std::vector<Part> parts(2);
  parts[0].segment = sound.segment();
  parts[1].segment = sound.arrange(std::move(*batch));
  const Matrix<float> queries = vectors_of(4, 2);
  const SearchOptions options = {.k = 30, .nprobe = 4, .confidence = 1, .threads = 1};
  const Snapshot both(sound.used(), parts, {}, 1, 0);
  both.index().search(queries.view(), options);
  try {
    Part merged;
    merged.segment = merge_in_memory(sound.used().model, {{parts[0].segment, "sound", nullptr},
                                                          {parts[1].segment, "read", nullptr}});
    Snapshot(sound.used(), {merged}, {}, 1, 0).index().search(queries.view(), options);
  } catch (const std::invalid_argument&) {  // an id of both
  }
}

}  // namespace
}  // namespace obliq::fuzzing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const obliq::fuzzing::Sound sound;
  if (size == 0) return 0;
  const std::span<const std::uint8_t> rest = {data + 1, size - 1};
  const bool keyed = data[0] / 2 % 2 == 1;
  if (data[0] % 2 == 0) {
    obliq::fuzzing::use(sound, std::as_bytes(rest), keyed);
  } else {
    obliq::fuzzing::use(sound, obliq::fuzzing::edited(sound.bytes(keyed), rest), keyed);
  }
  return 0;
}
