// What a collection should be, as a map that compares every vector, and random operations on it.
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
  /// The id that a vector without one gets.
  std::int64_t next_id() const { return next_id_; }

  void put(std::int64_t id, const float* vector) {
    const auto [found, is_new] = places_.try_emplace(id, ids_.size());
    if (is_new) {
      ids_.push_back(id);
      values_.resize(values_.size() + kModelDim);
    }
    std::copy_n(vector, kModelDim, values_.begin() + begin_of(found->second));
    next_id_ = std::max(next_id_, id + 1);
  }
  bool erase(std::int64_t id) {
    const auto found = places_.find(id);
    if (found == places_.end()) return false;
    const std::size_t place = found->second;
    places_.erase(found);
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
  std::int64_t next_id_ = 0;
};

struct ModelOperation {
  enum Kind { upsert, add, add_new, refused, remove, search, get, compact, train, reopen, refresh };
  Kind kind = upsert;
  std::vector<std::int64_t> ids;
  Matrix<float> vectors;  // or queries
};

inline Matrix<float> model_vectors(Random& random, std::size_t n) {
  Matrix<float> vectors(n, kModelDim);
  for (float& x : vectors.values) x = static_cast<float>(random.gaussian());
  return vectors;
}

/// Of 10,000 operations, on average.
inline ModelOperation::Kind draw_kind(Random& random) {
  constexpr std::pair<ModelOperation::Kind, std::uint64_t> kShares[] = {
      {ModelOperation::upsert, 3000}, {ModelOperation::add, 800},
      {ModelOperation::add_new, 400}, {ModelOperation::refused, 300},
      {ModelOperation::remove, 2900}, {ModelOperation::search, 1900},
      {ModelOperation::get, 600},     {ModelOperation::compact, 15},
      {ModelOperation::train, 5},     {ModelOperation::reopen, 20},
      {ModelOperation::refresh, 60}};
  std::uint64_t at = random.below(10000);
  for (const auto& [kind, share] : kShares) {
    if (at < share) return kind;
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
  operation.kind = draw_kind(random);
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
      }
      break;
    case ModelOperation::add_new:
      for (std::size_t i = 0; i < operation.vectors.rows; ++i) {
        map.put(map.next_id(), operation.vectors.row(i));
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
