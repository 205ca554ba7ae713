// What changes a collection or asks it for what it holds: by ids, and by keys, which differ in
// nothing but their type here.
#include <fmt/format.h>

#include <span>
#include <string_view>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"
#include "capi/missing.h"
#include "obliq/c/collection.h"
#include "obliq/c/collection_keys.h"

namespace obliq::capi {
namespace {

std::span<const ColumnValues> values_in(const obliq_columns* columns) {
  return columns == nullptr ? std::span<const ColumnValues>() : columns->columns;
}

template <typename Id>
void update(Collection& collection, std::span<const Id> ids, const obliq_columns* columns) {
  find_or_tell(collection, ids, [&] { collection.update(ids, values_in(columns)); });
}

template <typename Id>
void get(const Collection& collection, std::span<const Id> ids, std::size_t dim, float* out) {
  require_dim(dim, collection.options().dim);
  require_buffer(out, area_of(ids.size(), dim, "out"), sizeof(float), "out");
  find_or_tell(collection, ids, [&] { collection.get(ids, out); });
}

template <typename Id>
void get_columns(const Collection& collection, std::span<const Id> ids, const char* const* names,
                 std::size_t n_names, obliq_columns** out) {
  required(out, "out");
  const auto wanted = names_of(names, n_names, "names");
  find_or_tell(collection, ids, [&] { give(out, collection.get_columns(ids, wanted)); });
}

template <typename Id>
void remove(Collection& collection, std::span<const Id> ids, std::size_t* removed) {
  const std::size_t count = collection.remove(ids);
  if (removed != nullptr) *removed = count;
}

}  // namespace
}  // namespace obliq::capi

using obliq::capi::guard;
using obliq::capi::matrix_of;
using obliq::capi::required;
using obliq::capi::texts_of;
using obliq::capi::values_in;
using obliq::capi::values_of;
using Keys = std::span<const std::string_view>;

obliq_status obliq_collection_add(obliq_collection* collection, const float* vectors, size_t n,
                                  size_t dim, const int64_t* ids, const obliq_columns* columns) {
  return guard([&] {
    const auto rows = matrix_of(vectors, n, dim, "vectors");
    required(collection, "collection")
        .collection.add(rows, matrix_of(ids, n, 1, "ids"), values_in(columns));
  });
}

obliq_status obliq_collection_add_new(obliq_collection* collection, const float* vectors, size_t n,
                                      size_t dim, const obliq_columns* columns, int64_t* first) {
  return guard([&] {
    const auto rows = matrix_of(vectors, n, dim, "vectors");
    required(first, "first");
    *first = required(collection, "collection").collection.add(rows, values_in(columns));
  });
}

obliq_status obliq_collection_upsert(obliq_collection* collection, const float* vectors, size_t n,
                                     size_t dim, const int64_t* ids, const obliq_columns* columns) {
  return guard([&] {
    const auto rows = matrix_of(vectors, n, dim, "vectors");
    required(collection, "collection")
        .collection.upsert(rows, matrix_of(ids, n, 1, "ids"), values_in(columns));
  });
}

obliq_status obliq_collection_remove(obliq_collection* collection, const int64_t* ids, size_t n,
                                     size_t* removed) {
  return guard([&] {
    auto& from = required(collection, "collection").collection;
    obliq::capi::remove(from, values_of(ids, n, "ids"), removed);
  });
}

obliq_status obliq_collection_update(obliq_collection* collection, const int64_t* ids, size_t n,
                                     const obliq_columns* columns) {
  return guard([&] {
    auto& in = required(collection, "collection").collection;
    obliq::capi::update(in, values_of(ids, n, "ids"), columns);
  });
}

obliq_status obliq_collection_add_column(obliq_collection* collection, const char* name,
                                         obliq_column_type type) {
  return guard([&] {
    obliq::capi::require_enum(type, OBLIQ_INT64, OBLIQ_BYTES, "type");
    required(collection, "collection")
        .collection.add_column({std::string(obliq::capi::text_of(name, "name")),
                                static_cast<obliq::ColumnType>(type)});
  });
}

obliq_status obliq_collection_contains(const obliq_collection* collection, int64_t id,
                                       int32_t* contains) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    required(contains, "contains") = in.contains(id) ? 1 : 0;
  });
}

obliq_status obliq_collection_get(const obliq_collection* collection, const int64_t* ids, size_t n,
                                  size_t dim, float* out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    obliq::capi::get(in, values_of(ids, n, "ids"), dim, out);
  });
}

obliq_status obliq_collection_get_columns(const obliq_collection* collection, const int64_t* ids,
                                          size_t n, const char* const* names, size_t n_names,
                                          obliq_columns** out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    obliq::capi::get_columns(in, values_of(ids, n, "ids"), names, n_names, out);
  });
}

obliq_status obliq_collection_add_keys(obliq_collection* collection, const float* vectors, size_t n,
                                       size_t dim, const char* const* keys, const size_t* sizes,
                                       const obliq_columns* columns) {
  return guard([&] {
    const auto rows = matrix_of(vectors, n, dim, "vectors");
    required(collection, "collection")
        .collection.add(rows, texts_of(keys, sizes, n, "keys"), values_in(columns));
  });
}

obliq_status obliq_collection_upsert_keys(obliq_collection* collection, const float* vectors,
                                          size_t n, size_t dim, const char* const* keys,
                                          const size_t* sizes, const obliq_columns* columns) {
  return guard([&] {
    const auto rows = matrix_of(vectors, n, dim, "vectors");
    required(collection, "collection")
        .collection.upsert(rows, texts_of(keys, sizes, n, "keys"), values_in(columns));
  });
}

obliq_status obliq_collection_remove_keys(obliq_collection* collection, const char* const* keys,
                                          const size_t* sizes, size_t n, size_t* removed) {
  return guard([&] {
    auto& from = required(collection, "collection").collection;
    obliq::capi::remove(from, Keys(texts_of(keys, sizes, n, "keys")), removed);
  });
}

obliq_status obliq_collection_update_keys(obliq_collection* collection, const char* const* keys,
                                          const size_t* sizes, size_t n,
                                          const obliq_columns* columns) {
  return guard([&] {
    auto& in = required(collection, "collection").collection;
    obliq::capi::update(in, Keys(texts_of(keys, sizes, n, "keys")), columns);
  });
}

obliq_status obliq_collection_contains_key(const obliq_collection* collection, const char* key,
                                           size_t size, int32_t* contains) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    obliq::capi::require_buffer(key, size, 1, "key");
    required(contains, "contains") = in.contains(std::string_view(key, size)) ? 1 : 0;
  });
}

obliq_status obliq_collection_get_keys(const obliq_collection* collection, const char* const* keys,
                                       const size_t* sizes, size_t n, size_t dim, float* out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    obliq::capi::get(in, Keys(texts_of(keys, sizes, n, "keys")), dim, out);
  });
}

obliq_status obliq_collection_get_columns_keys(const obliq_collection* collection,
                                               const char* const* keys, const size_t* sizes,
                                               size_t n, const char* const* names, size_t n_names,
                                               obliq_columns** out) {
  return guard([&] {
    const auto& in = required(collection, "collection").collection;
    obliq::capi::get_columns(in, Keys(texts_of(keys, sizes, n, "keys")), names, n_names, out);
  });
}

obliq_status obliq_collection_for_each_key(const obliq_collection* collection,
                                           int (*take)(void* user, int64_t number, const char* key,
                                                       size_t size),
                                           void* user) {
  return guard([&] {
    required(take, "take");
    required(collection, "collection")
        .collection.for_each_key([&](std::int64_t number, std::string_view key) {
          if (take(user, number, key.data(), key.size()) != 0) throw obliq::Cancelled();
        });
  });
}
