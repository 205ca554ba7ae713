// Calls of the C interface that make collections and change them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "obliq/obliq.h"
#include "tests/fuzz/call_bytes.h"
#include "tests/fuzz/value_calls.h"

namespace obliq::fuzz {

/// A collection whose ids are numbers, and one whose ids are keys; neither at first.
class CollectionCalls {
 public:
  CollectionCalls(Bytes& bytes, ValueCalls& values) : bytes_(bytes), values_(values) {}
  CollectionCalls(const CollectionCalls&) = delete;
  CollectionCalls& operator=(const CollectionCalls&) = delete;
  ~CollectionCalls() {
    obliq_collection_free(collection_);
    obliq_collection_free(keyed_);
  }

  void make(bool string_ids);
  void change();
  void change_keys();

  obliq_collection* collection() const { return collection_; }
  obliq_collection* keyed() const { return keyed_; }

 private:
  Bytes& bytes_;
  ValueCalls& values_;
  obliq_collection* collection_ = nullptr;
  obliq_collection* keyed_ = nullptr;
};

inline void CollectionCalls::make(bool string_ids) {
  obliq_collection_options options;
  obliq_collection_options_init(&options, sizeof options);
  options.dim = bytes_.dim() == kDim ? kDim : bytes_.count();
  options.metric = static_cast<std::int32_t>(bytes_.below(4));
  options.quantizer = bytes_.below(2) == 0 ? "tqp2" : nullptr;
  options.string_ids = string_ids ? 1 : 0;
  options.schema = bytes_.below(2) == 0 ? values_.columns() : nullptr;
  obliq_access_options access;
  obliq_access_options_init(&access, sizeof access);
  access.threads = 1;
  access.durability = static_cast<std::int32_t>(bytes_.below(4));
  obliq_collection*& to = string_ids ? keyed_ : collection_;
  obliq_collection* made = nullptr;
  const obliq_status status = obliq_collection_in_memory(&options, &access, &made);
  require((status == OBLIQ_OK) == (made != nullptr));
  if (made == nullptr) return;
  obliq_collection_free(to);
  to = made;
}

inline void CollectionCalls::change() {
  const auto vectors = values_.numbers(3 * kDim);
  const auto ids = values_.ids();
  const std::size_t n = bytes_.below(4);
  const obliq_columns* columns = bytes_.below(2) == 0 ? nullptr : values_.columns();
  std::int64_t first = 0;
  std::size_t removed = 0;
  std::int32_t contains = 0;
  const std::string name = bytes_.text(2);
  switch (bytes_.below(9)) {
    case 0:
      (void)obliq_collection_add(collection_, vectors.data(), n, kDim, ids.data(), columns);
      break;
    case 1:
      (void)obliq_collection_add_new(collection_, vectors.data(), n, kDim, columns, &first);
      break;
    case 2:
      (void)obliq_collection_upsert(collection_, vectors.data(), n, kDim, ids.data(), columns);
      break;
    case 3:
      (void)obliq_collection_remove(collection_, ids.data(), n, &removed);
      require(removed <= n);
      break;
    case 4:
      (void)obliq_collection_update(collection_, ids.data(), n, columns);
      break;
    case 5:
      (void)obliq_collection_add_column(collection_, name.c_str(), bytes_.byte() % 9);
      break;
    case 6:
      (void)obliq_collection_compact(collection_, nullptr, nullptr);
      break;
    case 7:
      (void)obliq_collection_count(collection_, values_.filter(), &removed);
      break;
    default:
      (void)obliq_collection_contains(collection_, ids[0], &contains);
      break;
  }
}

inline void CollectionCalls::change_keys() {
  const auto vectors = values_.numbers(2 * kDim);
  const std::string a = bytes_.text(3);
  const std::array<const char*, 2> keys = {a.c_str(), "b"};
  const std::array<std::size_t, 2> lengths = {bytes_.below(a.size() + 1), 1};
  const std::size_t* sizes = bytes_.below(2) == 0 ? nullptr : lengths.data();
  const std::size_t n = bytes_.below(3);
  std::vector<float> out(2 * kDim);
  std::size_t removed = 0;
  std::int32_t contains = 0;
  switch (bytes_.below(6)) {
    case 0:
      (void)obliq_collection_add_keys(keyed_, vectors.data(), n, kDim, keys.data(), sizes,
                                      values_.columns());
      break;
    case 1:
      (void)obliq_collection_upsert_keys(keyed_, vectors.data(), n, kDim, keys.data(), sizes,
                                         nullptr);
      break;
    case 2:
      (void)obliq_collection_remove_keys(keyed_, keys.data(), sizes, n, &removed);
      break;
    case 3:
      (void)obliq_collection_update_keys(keyed_, keys.data(), sizes, n, values_.columns());
      break;
    case 4:
      (void)obliq_collection_get_keys(keyed_, keys.data(), sizes, n, kDim, out.data());
      break;
    default:
      (void)obliq_collection_contains_key(keyed_, a.data(), a.size(), &contains);
      break;
  }
}

}  // namespace obliq::fuzz
