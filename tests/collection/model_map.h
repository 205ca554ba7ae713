// What a collection should be, as a map that compares every vector and has the values of columns,
// and random operations on it.
// They follow from a seed alone: who makes them in a process that dies, and who notes what it must
// have made, need not talk.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "obliq/matrix_view.h"
#include "tests/collection/model_values.h"

namespace obliq::testing {

inline constexpr std::size_t kModelDim = 8;
inline constexpr std::int64_t kModelIds = 2500;  // most ids are below

/// Vectors by their ids.
class ModelMap {
 public:
  explicit ModelMap(Metric metric = Metric::l2) : metric_(metric) {}

  std::size_t size() const { return ids_.size(); }
  bool contains(std::int64_t id) const { return places_.contains(id); }
  std::int64_t id(std::size_t place) const { return ids_[place]; }
  /// The vector as a collection gives it back: by cosine of length 1.
  std::vector<float> stored(std::int64_t id) const {
    const float* given = row(places_.at(id));
    std::vector<float> vector(given, given + kModelDim);
    if (metric_ != Metric::cosine) return vector;
    const float length = std::sqrt(std::inner_product(given, given + kModelDim, given, 0.F));
    for (float& x : vector) x /= length;
    return vector;
  }
  const ModelValues& values(std::int64_t id) const { return columns_.at(id); }
  void set(std::int64_t id, const Columns& columns, std::size_t row) {
    set_values(columns, row, columns_.at(id));
  }
  bool has_later() const { return has_later_; }
  void add_later() { has_later_ = true; }
  /// The id that a vector without one gets.
  std::int64_t next_id() const { return next_id_; }

  void put(std::int64_t id, const float* vector) {
    const auto [found, is_new] = places_.try_emplace(id, ids_.size());
    if (is_new) {
      ids_.push_back(id);
      values_.resize(values_.size() + kModelDim);
    }
    std::copy_n(vector, kModelDim, values_.begin() + begin_of(found->second));
    columns_[id] = {};
    next_id_ = std::max(next_id_, id + 1);
  }
  bool erase(std::int64_t id) {
    const auto found = places_.find(id);
    if (found == places_.end()) return false;
    const std::size_t place = found->second;
    places_.erase(found);
    columns_.erase(id);
    if (place + 1 < ids_.size()) {
      ids_[place] = ids_.back();
      places_[ids_[place]] = place;
      std::copy_n(row(ids_.size() - 1), kModelDim, values_.begin() + begin_of(place));
    }
    ids_.pop_back();
    values_.resize(values_.size() - kModelDim);
    return true;
  }
  float distance(const float* query, const float* vector) const {
    double product = 0;
    double of_query = 0;
    double of_vector = 0;
    for (std::size_t j = 0; j < kModelDim; ++j) {
      product += static_cast<double>(query[j]) * vector[j];
      of_query += static_cast<double>(query[j]) * query[j];
      of_vector += static_cast<double>(vector[j]) * vector[j];
    }
    if (metric_ == Metric::ip) return static_cast<float>(-product);
    if (metric_ == Metric::cosine) {
      return static_cast<float>(1 - product / std::sqrt(of_query * of_vector));
    }
    return static_cast<float>(of_query + of_vector - 2 * product);
  }
  /// Distances of the k nearest, rising; infinity where there are fewer.
  std::vector<float> nearest(const float* query, std::size_t k) const {
    std::vector<float> distances(std::max(k, size()), std::numeric_limits<float>::infinity());
    for (std::size_t i = 0; i < size(); ++i) distances[i] = distance(query, row(i));
    const auto end = distances.begin() + static_cast<std::ptrdiff_t>(k);
    std::partial_sort(distances.begin(), end, distances.end());
    distances.resize(k);
    return distances;
  }

 private:
  static std::ptrdiff_t begin_of(std::size_t place) {
    return static_cast<std::ptrdiff_t>(place * kModelDim);
  }
  const float* row(std::size_t place) const { return values_.data() + begin_of(place); }

  Metric metric_;
  std::vector<std::int64_t> ids_;
  std::vector<float> values_;  // [size][dim]
  std::unordered_map<std::int64_t, std::size_t> places_;
  std::unordered_map<std::int64_t, ModelValues> columns_;
  bool has_later_ = false;
  std::int64_t next_id_ = 0;
};

struct ModelOperation {
  enum Kind {
    upsert,
    add,
    add_new,
    refused,
    remove,
    update,
    search,
    get,
    compact,
    train,
    reopen,
    refresh,
    add_column
  };
  Kind kind = upsert;
  std::vector<std::int64_t> ids;
  Matrix<float> vectors;  // or queries
  Columns columns;        // of the vectors, or new values
};

inline Matrix<float> model_vectors(Random& random, std::size_t n) {
  Matrix<float> vectors(n, kModelDim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

/// Of 10,000 operations, on average.
inline ModelOperation::Kind draw_kind(Random& random, bool has_later) {
  constexpr std::pair<ModelOperation::Kind, std::uint64_t> kShares[] = {
      {ModelOperation::upsert, 2700}, {ModelOperation::add, 700},
      {ModelOperation::add_new, 400}, {ModelOperation::refused, 300},
      {ModelOperation::remove, 2500}, {ModelOperation::update, 1100},
      {ModelOperation::search, 1600}, {ModelOperation::get, 600},
      {ModelOperation::compact, 15},  {ModelOperation::train, 5},
      {ModelOperation::reopen, 15},   {ModelOperation::refresh, 60},
      {ModelOperation::add_column, 5}};
  std::uint64_t at = random.below(10000);
  for (const auto& [kind, share] : kShares) {
    if (at < share)
      return kind == ModelOperation::add_column && has_later ? ModelOperation::compact : kind;
    at -= share;
  }
  return ModelOperation::search;
}

/// Ids that follow each other, some of which are there.
inline std::vector<std::int64_t> draw_ids(Random& random, const ModelMap& map, std::size_t n) {
  auto first = static_cast<std::int64_t>(random.below(kModelIds));
  if (map.size() > 0 && random.below(3) == 0) first = map.id(random.below(map.size()));
  std::vector<std::int64_t> ids(n);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

/// The next operation on what the map holds.
inline ModelOperation draw_operation(Random& random, const ModelMap& map) {
  ModelOperation operation;
  operation.kind = draw_kind(random, map.has_later());
  const bool is_large = random.below(400) == 0;
  std::size_t n = 1 + random.below(is_large ? 400 : 8);
  switch (operation.kind) {
    case ModelOperation::add:  // of those that are not there
      operation.ids = draw_ids(random, map, n);
      std::erase_if(operation.ids, [&](std::int64_t id) { return map.contains(id); });
      operation.vectors = model_vectors(random, operation.ids.size());
      break;
    case ModelOperation::get:
      for (std::size_t i = 0; i < n && map.size() > 0; ++i) {
        operation.ids.push_back(map.id(random.below(map.size())));
      }
      break;
    case ModelOperation::search:
      operation.vectors = model_vectors(random, 1 + random.below(2));
      break;
    case ModelOperation::update:  // of those that are there
      operation.ids = draw_ids(random, map, n);
      std::erase_if(operation.ids, [&](std::int64_t id) { return !map.contains(id); });
      operation.columns = draw_columns(random, operation.ids.size(), map.has_later(), 1);
      return operation;
    case ModelOperation::add_column:
      return operation;
    case ModelOperation::remove:
      if (map.size() > 2000) n += 5;
      operation.ids = draw_ids(random, map, n);
      break;
    case ModelOperation::add_new:
      operation.vectors = model_vectors(random, n);
      break;
    default:
      operation.ids = draw_ids(random, map, n);
      operation.vectors = model_vectors(random, n);
  }
  operation.columns = draw_columns(random, operation.vectors.rows, map.has_later(), 0);
  return operation;
}

/// What the operation makes of the map. Returns how many vectors it removes.
inline std::size_t make_in(const ModelOperation& operation, ModelMap& map) {
  std::size_t removed = 0;
  switch (operation.kind) {
    case ModelOperation::upsert:
    case ModelOperation::add:
      for (std::size_t i = 0; i < operation.ids.size(); ++i) {
        map.put(operation.ids[i], operation.vectors.row(i));
        map.set(operation.ids[i], operation.columns, i);
      }
      break;
    case ModelOperation::update:
      for (std::size_t i = 0; i < operation.ids.size(); ++i) {
        map.set(operation.ids[i], operation.columns, i);
      }
      break;
    case ModelOperation::add_column:
      map.add_later();
      break;
    case ModelOperation::add_new:
      for (std::size_t i = 0; i < operation.vectors.rows; ++i) {
        const std::int64_t id = map.next_id();
        map.put(id, operation.vectors.row(i));
        map.set(id, operation.columns, i);
      }
      break;
    case ModelOperation::remove:
      for (const std::int64_t id : operation.ids) removed += map.erase(id) ? 1 : 0;
      break;
    default:
      break;
  }
  return removed;
}

}  // namespace obliq::testing
