// A power failure after any call that a writer makes: the collection opens, what was acknowledged
// is there, and of the change on its way all or nothing. OBLIQ_CRASH_STATES asks for more states.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "obliq/collection.h"
#include "tests/storage/crash_states.h"

namespace obliq {
namespace {

constexpr std::size_t kDim = 4;

struct Change {
  enum Kind { create, upsert, remove, update, add_column, compact, train, wait } kind;
  std::int64_t first = 0;
  std::size_t count = 0;
};

class PowerLossOfCollections : public ::testing::Test {
 protected:
  // The changes that wrote a vector and its values.
  struct Written {
    std::size_t vector = 0;
    std::size_t values = 0;
  };
  struct Map {
    std::map<std::int64_t, Written> rows;
    std::optional<std::size_t> later;  // the change that added a column

    std::size_t size() const { return rows.size(); }
  };

  static CollectionOptions options() {
    CollectionOptions options;
    options.dim = kDim;
    options.train_at = 100000;
    options.columns = {{"mark", ColumnType::keyword}};
    return options;
  }
  // Of vectors that a change writes: the number of that change, as a text and, in a column that is
  // added later, as a number.
  static Columns values_of(const Map& map, std::size_t change, std::size_t n) {
    Columns columns = {ColumnValues({"mark", ColumnType::keyword})};
    if (map.later) columns.emplace_back(ColumnSpec{"later", ColumnType::int64});
    for (std::size_t i = 0; i < n; ++i) {
      columns[0].add("change " + std::to_string(change));
      if (map.later) columns[1].add(static_cast<std::int64_t>(change));
    }
    return columns;
  }
  static std::vector<float> vector_of(std::int64_t id, std::size_t change) {
    Random random(static_cast<std::uint64_t>(id) * 1000 + change);
    std::vector<float> vector(kDim);
    for (float& x : vector) x = static_cast<float>(random.gaussian());
    return vector;
  }
  static std::vector<std::int64_t> ids_of(const Change& change) {
    std::vector<std::int64_t> ids(change.count);
    std::iota(ids.begin(), ids.end(), change.first);
    return ids;
  }

  // What is there after each change.
  std::vector<Map> maps() const {
    std::vector<Map> maps;
    Map map;
    for (std::size_t i = 0; i < script_.size(); ++i) {
      if (script_[i].kind == Change::add_column && !map.later) map.later = i;
      for (const std::int64_t id : ids_of(script_[i])) {
        const auto found = map.rows.find(id);
        if (script_[i].kind == Change::remove) {
          map.rows.erase(id);
        } else if (script_[i].kind == Change::upsert) {
          map.rows[id] = {i, i};
        } else if (found != map.rows.end()) {
          found->second.values = i;
        }
      }
      maps.push_back(map);
    }
    return maps;
  }
  void make(std::size_t i, std::optional<Collection>& collection) const {
    const Change& change = script_[i];
    const std::vector<std::int64_t> ids = ids_of(change);
    Matrix<float> vectors(ids.size(), kDim);
    for (std::size_t j = 0; j < ids.size(); ++j) {
      const std::vector<float> vector = vector_of(ids[j], i);
      std::copy(vector.begin(), vector.end(), vectors.row(j));
    }
    const CollectionAccess access = {.read_only = false, .durability = durability_, .threads = 1};
    switch (change.kind) {
      case Change::create:
        collection.emplace(Collection::create(path_, options(), access));
        return;
      case Change::upsert:
        return collection->upsert(vectors.view(), {ids.data(), ids.size(), 1},
                                  values_of(maps_[i], i, ids.size()));
      case Change::update: {
        std::vector<std::int64_t> known = ids;
        std::erase_if(known, [&](std::int64_t id) { return !maps_[i].rows.contains(id); });
        return collection->update(known, values_of(maps_[i], i, known.size()));
      }
      case Change::add_column:
        if (maps_[i].later == i) collection->add_column({"later", ColumnType::int64});
        return;
      case Change::remove:
        EXPECT_EQ(collection->remove(ids), maps_[i - 1].size() - maps_[i].size());
        return;
      case Change::compact:
        return collection->compact();
      case Change::wait:
        return collection->wait();
      case Change::train:
        if (collection->count() >= 1000) collection->train();
        return;
    }
  }
  // A column may be there that the map knows nothing of: its change was the last one.
  static bool has_values(const Collection& collection, std::int64_t id, std::size_t change,
                         std::optional<std::size_t> later) {
    const Columns found = collection.get_columns(std::span(&id, 1));
    const bool has_later = later && change > *later;
    if (later && found.size() != 2) return false;
    if (found[0].text(0) != "change " + std::to_string(change)) return false;
    if (found.size() == 1) return true;
    return found[1].is_null(0) == !has_later &&
           (!has_later || found[1].integer(0) == static_cast<std::int64_t>(change));
  }
  // Whether all is as the map says. Vectors are exact while no model is trained.
  static bool holds(const Collection& collection, const Map& map) {
    if (collection.count() != map.size()) return false;
    const float allowed = collection.stats().is_exact ? 1e-9F : .01F;
    for (const auto& [id, written] : map.rows) {
      if (!collection.contains(id)) return false;
      if (!has_values(collection, id, written.values, map.later)) return false;
      std::vector<float> vector(kDim);
      collection.get(std::span(&id, 1), vector.data());
      const std::vector<float> wanted = vector_of(id, written.vector);
      float error = 0;
      for (std::size_t j = 0; j < kDim; ++j) {
        error += (vector[j] - wanted[j]) * (vector[j] - wanted[j]);
      }
      if (error > allowed) return false;
    }
    return true;
  }
  void check(const CrashState& state) const {
    std::optional<Collection> collection;
    try {
      collection.emplace(Collection::open(state.folder, {.threads = 1}));
    } catch (const std::exception& error) {
      ASSERT_LT(state.noted, 0) << error.what();
      return;
    }
    const auto made = static_cast<std::size_t>(std::max(state.noted, 0));
    const std::size_t next = std::min(made + 1, script_.size() - 1);
    std::size_t some = next;
    while (some > synced_before(made) && !holds(*collection, maps_[some])) --some;
    ASSERT_TRUE(holds(*collection, maps_[some]))
        << collection->count() << " vectors after change " << state.noted;
    ASSERT_NO_THROW(collection->verify());
    const float vector[kDim] = {1, 2, 3, 4};
    const std::int64_t id = 99999;
    collection->upsert({vector, 1, kDim}, {&id, 1, 1});
    collection->compact();
    ASSERT_TRUE(collection->contains(id));
    collection->upsert({vector, 1, kDim}, {&id, 1, 1});
    collection.reset();
    ASSERT_NO_THROW(collection.emplace(Collection::open(state.folder, {.threads = 1})));
    ASSERT_TRUE(collection->contains(id));
  }
  // The last change up to this one that outlives a power failure.
  std::size_t synced_before(std::size_t change) const {
    if (durability_ == Durability::every) return change;
    while (change > 0 && script_[change].kind != Change::compact) --change;
    return change;
  }
  // Returns how many states it has looked at.
  std::size_t play(std::vector<Change> script, std::size_t count, std::uint64_t seed) {
    script_ = std::move(script);
    maps_ = maps();
    path_ = folder_ / std::to_string(++played_);
    std::filesystem::create_directory(path_);
    SimulatedDisk disk(path_);
    {
      std::optional<Collection> collection;
      for (std::size_t i = 0; i < script_.size(); ++i) {
        make(i, collection);
        disk.note(static_cast<int>(i));
      }
    }
    const std::size_t states = for_each_crash_state(disk.stop(), count, seed,
                                                    [&](const CrashState& state) { check(state); });
    std::filesystem::remove_all(path_);
    return states;
  }
  void play(std::vector<Change> script, std::size_t count) {
    const std::size_t states = play(std::move(script), crash_state_count(count), crash_seed());
    EXPECT_GT(states, 90U);
    RecordProperty("states", static_cast<int>(states));
  }
  // Some begin with vectors enough for a model.
  static std::vector<Change> draw_script(Random& random) {
    std::vector<Change> script = {{Change::create}};
    const bool is_large = random.below(8) == 0;
    if (is_large) script.push_back({Change::upsert, 0, 1000});
    for (std::size_t left = 3 + random.below(6); left > 0; --left) {
      const auto first = static_cast<std::int64_t>(random.below(150));
      const std::uint64_t kind = random.below(is_large ? 16 : 14);
      if (kind < 5) {
        script.push_back({Change::upsert, first, 1 + random.below(100)});
      } else if (kind < 8) {
        script.push_back({Change::update, first, 1 + random.below(100)});
      } else if (kind < 11) {
        script.push_back({Change::remove, first, 1 + random.below(60)});
      } else if (kind < 12) {
        script.push_back({Change::add_column});
      } else {
        script.push_back({kind < 14 ? Change::compact : Change::train});
      }
    }
    return script;
  }

  Durability durability_ = Durability::every;
  std::vector<Change> script_;
  std::vector<Map> maps_;
  TemporaryFolder folder_ = fast_folder();
  std::string path_;
  int played_ = 0;
};

TEST_F(PowerLossOfCollections, LosesNothingAcknowledged) {
  play({{Change::create},
        {Change::upsert, 0, 20},
        {Change::upsert, 100, 7},
        {Change::remove, 3, 4},
        {Change::compact},
        {Change::upsert, 5, 10},
        {Change::remove, 9, 2},
        {Change::upsert, 200, 1},
        {Change::compact},
        {Change::upsert, 201, 1}},
       1500);
}

TEST_F(PowerLossOfCollections, LosesTheLastChangesAloneWithoutSyncs) {
  durability_ = Durability::none;
  play({{Change::create},
        {Change::upsert, 0, 20},
        {Change::upsert, 100, 70},
        {Change::remove, 3, 4},
        {Change::compact},
        {Change::upsert, 5, 10},
        {Change::upsert, 200, 100},
        {Change::remove, 9, 2},
        {Change::compact},
        {Change::upsert, 201, 1}},
       1500);
}

TEST_F(PowerLossOfCollections, LosesNothingWhenTheModelChanges) {
  play({{Change::create},
        {Change::upsert, 0, 1000},
        {Change::compact},
        {Change::upsert, 1000, 30},
        {Change::remove, 10, 20},
        {Change::train},
        {Change::upsert, 990, 20},
        {Change::compact}},
       600);
}

// More than a quarter of a file is deleted: it is merged in the background, without the rows that
// only a change deletes which is not synced.
TEST_F(PowerLossOfCollections, LosesNoVectorWhoseNewOneIsLost) {
  durability_ = Durability::none;
  play({{Change::create},
        {Change::upsert, 0, 100},
        {Change::compact},
        {Change::upsert, 0, 40},
        {Change::wait},
        {Change::upsert, 0, 50}},
       600);
}

TEST_F(PowerLossOfCollections, LosesNoColumnAndNoUpdate) {
  play({{Change::create},
        {Change::upsert, 0, 40},
        {Change::compact},
        {Change::update, 5, 20},
        {Change::add_column},
        {Change::update, 15, 10},
        {Change::upsert, 30, 20},
        {Change::compact},
        {Change::update, 0, 50}},
       1500);
}

// A file loses more than a quarter of its rows to updates that are only logged, and is merged.
TEST_F(PowerLossOfCollections, LosesNoUpdatedVectorWithoutSyncs) {
  durability_ = Durability::none;
  play({{Change::create},
        {Change::upsert, 0, 100},
        {Change::compact},
        {Change::update, 0, 40},
        {Change::wait},
        {Change::add_column},
        {Change::update, 20, 30},
        {Change::wait},
        {Change::update, 0, 50}},
       1500);
}

// Scripts drawn at random, until there are enough states.
TEST_F(PowerLossOfCollections, LosesNothingWhateverIsDone) {
  constexpr std::size_t kOfScript = 3000;
  const std::size_t wanted = crash_state_count(200);
  std::size_t states = 0;
  for (std::uint64_t seed = crash_seed(); states < wanted; ++seed) {
    Random random(seed);
    durability_ = random.below(2) == 0 ? Durability::every : Durability::none;
    states += play(draw_script(random), std::min(kOfScript, 10 * wanted), seed);
    ASSERT_FALSE(HasFailure()) << "OBLIQ_CRASH_SEED=" << seed;
  }
  RecordProperty("states", static_cast<int>(states));
}

}  // namespace
}  // namespace obliq
