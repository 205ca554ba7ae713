// Changes that follow from a seed alone, so that who makes them and who checks them need not talk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "obliq/matrix_view.h"

namespace obliq::testing {

inline constexpr std::size_t kCrashDim = 8;
inline constexpr std::uint64_t kCrashIds = 3000;

struct CrashChange {
  enum Kind { upsert, remove, update, compact, train, export_index, open_anew } kind = upsert;
  std::vector<std::int64_t> ids;
  Matrix<float> vectors;
  std::vector<std::int64_t> marks;  // of the vectors, or new ones of those that are there
};

/// Marks, and texts that follow from them.
inline ColumnSchema crash_schema() {
  return {{"mark", ColumnType::int64}, {"text", ColumnType::keyword}};
}
inline Columns crash_columns(const std::vector<std::int64_t>& marks) {
  Columns columns = {ColumnValues(crash_schema()[0]), ColumnValues(crash_schema()[1])};
  for (const std::int64_t mark : marks) {
    columns[0].add(mark);
    if (mark % 2 == 0) {
      columns[1].add("mark " + std::to_string(mark));
    } else {
      columns[1].add_null();
    }
  }
  return columns;
}

/// The changes of one process, one after the other.
class CrashScript {
 public:
  explicit CrashScript(std::uint64_t seed) : random_(seed) {}

  CrashChange next() {
    CrashChange change;
    const std::uint64_t kind = random_.below(100);
    const auto first = static_cast<std::int64_t>(random_.below(kCrashIds));
    if (kind < 60) {
      change.ids.resize(1 + random_.below(60));
      change.vectors = Matrix<float>(change.ids.size(), kCrashDim);
      for (float& x : change.vectors.values) x = static_cast<float>(random_.gaussian());
    } else if (kind < 76) {
      change.kind = CrashChange::update;
      change.ids.resize(1 + random_.below(60));
    } else if (kind < 92) {
      change.kind = CrashChange::remove;
      change.ids.resize(1 + random_.below(20));
    } else {
      constexpr CrashChange::Kind kOthers[] = {CrashChange::compact,      CrashChange::compact,
                                               CrashChange::train,        CrashChange::train,
                                               CrashChange::export_index, CrashChange::export_index,
                                               CrashChange::open_anew,    CrashChange::open_anew};
      change.kind = kOthers[kind - 92];
    }
    std::iota(change.ids.begin(), change.ids.end(), first);
    for (std::size_t i = 0; i < change.ids.size(); ++i) {
      change.marks.push_back(static_cast<std::int64_t>(random_.below(1000000)));
    }
    return change;
  }

 private:
  Random random_;
};

struct CrashRow {
  std::vector<float> vector;
  std::int64_t mark = 0;
};
using CrashMap = std::map<std::int64_t, CrashRow>;

/// The ids of an update that are there, with their marks.
template <typename Contains>
void keep_known(CrashChange& change, Contains contains) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < change.ids.size(); ++i) {
    if (!contains(change.ids[i])) continue;
    change.ids[kept] = change.ids[i];
    change.marks[kept++] = change.marks[i];
  }
  change.ids.resize(kept);
  change.marks.resize(kept);
}

inline void make_in(const CrashChange& change, CrashMap& map) {
  for (std::size_t i = 0; i < change.ids.size(); ++i) {
    if (change.kind == CrashChange::remove) {
      map.erase(change.ids[i]);
    } else if (change.kind == CrashChange::update) {
      const auto found = map.find(change.ids[i]);
      if (found != map.end()) found->second.mark = change.marks[i];
    } else {
      const float* vector = change.vectors.row(i);
      map[change.ids[i]] = {{vector, vector + kCrashDim}, change.marks[i]};
    }
  }
}

/// Where the collection at `path` is exported to.
inline std::string crash_export(const std::string& path) { return path + ".obliq"; }

inline CollectionOptions crash_options() {
  CollectionOptions options;
  options.dim = kCrashDim;
  options.train_at = 1000;
  options.columns = crash_schema();
  return options;
}

}  // namespace obliq::testing
