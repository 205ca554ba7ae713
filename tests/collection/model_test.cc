// A collection beside a map that compares every vector, over random operations. They are made in
// spans, each by a process of its own, which at its end closes the collection or dies with all that
// the background is doing; its parent then notes in its map what was made.
//
// OBLIQ_MODEL_OPERATIONS sets how many there are, OBLIQ_MODEL_SEED others.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/temporary_folder.h"
#include "tests/collection/memory_folder.h"
#include "tests/collection/model_map.h"

namespace obliq::testing {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

CollectionOptions draw_options(Random& random) {
  CollectionOptions options;
  options.dim = kModelDim;
  options.metric = static_cast<Metric>(random.below(3));
  options.raw = random.below(3) == 0 ? RawTier::none : RawTier::fp32;
  options.quantizer = random.below(2) == 0 ? "sq8" : "lm4";
  options.spill = random.below(2) == 0 ? 0 : .5;
  options.train_at = 1000 + random.below(1000);
  options.columns = model_schema();
  return options;
}

/// One collection in one process, and what it should be.
class Span {
 public:
  Span(std::string path, ModelMap map, bool has_raw)
      : path_(std::move(path)), map_(std::move(map)), has_raw_(has_raw) {
    reopen();
  }

  void make(const ModelOperation& operation) {
    const MatrixView<std::int64_t> ids = {operation.ids.data(), operation.ids.size(), 1};
    switch (operation.kind) {
      case ModelOperation::upsert:
        writer_->upsert(operation.vectors.view(), ids, operation.columns);
        break;
      case ModelOperation::add:
        writer_->add(operation.vectors.view(), ids, operation.columns);
        break;
      case ModelOperation::add_new:
        ASSERT_EQ(writer_->add(operation.vectors.view(), operation.columns), map_.next_id());
        break;
      case ModelOperation::update:
        writer_->update(operation.ids, operation.columns);
        break;
      case ModelOperation::add_column:
        writer_->add_column(model_later());
        break;
      case ModelOperation::refused:
        return refuse(operation);
      case ModelOperation::remove: {
        const std::size_t removed = writer_->remove(operation.ids);
        ASSERT_EQ(removed, make_in(operation, map_));
        break;
      }
      case ModelOperation::search:
        return search(*writer_, operation.vectors);
      case ModelOperation::get:
        return get(operation.ids);
      default:
        maintain(operation);
    }
    make_in(operation, map_);
    ASSERT_EQ(writer_->count(), map_.size());
    for (const std::int64_t id : operation.ids) {
      ASSERT_EQ(writer_->contains(id), map_.contains(id)) << "id " << id;
    }
    check_columns(*writer_, operation.ids);
  }
  void close(bool verifies) {
    writer_->close();
    if (!verifies) return;
    ASSERT_NO_THROW(writer_->verify());
  }
  void wait() { writer_->wait(); }

 private:
  void reopen() {
    writer_.reset();
    writer_ = std::make_unique<Collection>(
        Collection::open(path_, {.durability = Durability::none, .threads = 1}));
    ASSERT_EQ(writer_->count(), map_.size());
  }
  void maintain(const ModelOperation& operation) {
    if (operation.kind == ModelOperation::compact) {
      writer_->compact();
    } else if (operation.kind == ModelOperation::train) {
      if (map_.size() >= 1000) writer_->train();
    } else if (operation.kind == ModelOperation::reopen) {
      reopen();
    } else {
      refresh(operation);
    }
  }
  // A reader sees all that was written before.
  void refresh(const ModelOperation& operation) {
    if (!reader_) {
      reader_.emplace(Collection::open(path_, {.read_only = true, .threads = 1}));
    } else {
      reader_->refresh();
    }
    ASSERT_EQ(reader_->count(), map_.size());
    search(*reader_, operation.vectors);
    check_columns(*reader_, operation.ids);
  }
  // Ids that are there, that come twice, and numbers that are none.
  void refuse(const ModelOperation& operation) {
    std::vector<std::int64_t> ids = operation.ids;
    Matrix<float> vectors = operation.vectors;
    if (std::ranges::none_of(ids, [&](std::int64_t id) { return map_.contains(id); })) {
      if (ids.size() % 2 == 0) {
        ids.back() = ids.front();
      } else {
        vectors.values.back() = std::numeric_limits<float>::quiet_NaN();
      }
    }
    ASSERT_THROW(writer_->add(vectors.view(), {ids.data(), ids.size(), 1}), std::invalid_argument);
    const auto gone = std::ranges::find_if(ids, [&](auto id) { return !map_.contains(id); });
    if (gone != ids.end()) {
      std::swap(ids.back(), *gone);
      ASSERT_THROW(writer_->update(ids, operation.columns), std::invalid_argument);
    }
    ASSERT_EQ(writer_->count(), map_.size());
  }
  // Of those ids that are there.
  void check_columns(const Collection& collection, std::vector<std::int64_t> ids) const {
    std::erase_if(ids, [&](std::int64_t id) { return !map_.contains(id); });
    const Columns columns = collection.get_columns(ids);
    ASSERT_EQ(columns.size(), map_.has_later() ? 3U : 2U);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      ModelValues found;
      set_values(columns, i, found);
      ASSERT_EQ(found, map_.values(ids[i])) << "id " << ids[i];
    }
  }
  void get(const std::vector<std::int64_t>& ids) const {
    check_columns(*writer_, ids);
    std::vector<float> vectors(ids.size() * kModelDim);
    writer_->get(ids, vectors.data());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::vector<float> wanted = map_.stored(ids[i]);
      for (std::size_t j = 0; j < kModelDim; ++j) {
        ASSERT_NEAR(vectors[i * kModelDim + j], wanted[j], has_raw_ ? 1e-4 : 3) << "id " << ids[i];
      }
    }
  }
  // All lists without pruning find the nearest, where exact vectors are kept; any search finds
  // vectors that are there, as many as there can be, each once.
  void search(const Collection& collection, const Matrix<float>& queries) const {
    constexpr std::size_t kAnswers = 7;
    SearchOptions usual = {.k = kAnswers, .threads = 1};
    SearchOptions all = usual;
    all.nprobe = 100000;
    all.confidence = 1;
    for (std::size_t q = 0; q < queries.rows; ++q) {
      const std::vector<float> nearest = map_.nearest(queries.row(q), kAnswers);
      const MatrixView<float> query = queries.view().slice(q, 1);
      check(collection.search(query, usual), nearest, false);
      const SearchResult found = collection.search(query, all);
      check(found, nearest, has_raw_ || collection.stats().is_exact);  // a model may come meanwhile
    }
  }
  void check(const SearchResult& found, const std::vector<float>& nearest, bool is_exact) const {
    std::set<std::int64_t> seen;
    for (std::size_t i = 0; i < nearest.size(); ++i) {
      const std::int64_t id = found.ids.values[i];
      ASSERT_EQ(id == -1, i >= map_.size());
      if (id == -1) continue;
      ASSERT_TRUE(map_.contains(id)) << "id " << id;
      ASSERT_TRUE(seen.insert(id).second) << "id " << id << " comes twice";
      if (!is_exact) continue;
      ASSERT_NEAR(found.distances.values[i], nearest[i], 1e-4 * (1 + std::abs(nearest[i])));
    }
  }

  const std::string path_;
  ModelMap map_;
  const bool has_raw_;
  std::unique_ptr<Collection> writer_;
  std::optional<Collection> reader_;
};

/// Goes from span to span.
class ModelTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.path() + "/c"; }

  void begin_anew() {
    std::filesystem::remove_all(path());
    options_ = draw_options(random_);
    map_ = ModelMap(options_.metric);
    is_made_ = false;
  }
  // Half of the spans end by a crash, one with all that there is to do in the background done.
  static void finish(Span& span, std::uint64_t end) {
    if (end == 0) span.wait();
    if (end < 3) span.close(end == 1);
  }
  // In a child, which ends here.
  void make_span(std::size_t count, std::uint64_t end) {
    if (!is_made_) Collection::create(path(), options_);
    Random random = random_;
    ModelMap map = map_;
    Span span(path(), map, options_.raw == RawTier::fp32);
    for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
      const ModelOperation operation = draw_operation(random, map);
      make_in(operation, map);
      EXPECT_NO_THROW(span.make(operation));
      if (HasFailure()) std::printf("operation %zu of kind %d\n", i, operation.kind);
    }
    EXPECT_NO_THROW(HasFailure() ? void() : finish(span, end));
    std::fflush(stdout);
    ::_exit(HasFailure() ? 1 : 0);  // without destructors: as if it were killed
  }
  // Makes some operations in a process of its own.
  std::size_t next_span(std::size_t most) {
    const std::size_t count = std::min<std::size_t>(most, 1 + random_.below(700));
    const std::uint64_t end = random_.below(6);
    std::fflush(stdout);  // or the child writes it, too
    const pid_t child = ::fork();
    if (child == 0) make_span(count, end);
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    is_made_ = true;
    for (std::size_t i = 0; i < count; ++i) make_in(draw_operation(random_, map_), map_);
    return count;
  }

  const std::uint64_t seed_ = from_environment("OBLIQ_MODEL_SEED", 5);
  Random random_{seed_};
  TemporaryFolder folder_{memory_folder()};
  CollectionOptions options_;
  ModelMap map_;
  bool is_made_ = false;
};

TEST_F(ModelTest, IsWhatAMapIs) {
  const std::size_t all = from_environment("OBLIQ_MODEL_OPERATIONS", 20000);
  std::size_t done = 0;
  for (std::size_t spans = 0; done < all; ++spans) {
    if (spans == 0 || random_.below(25) == 0) begin_anew();
    const std::size_t count = next_span(all - done);
    ASSERT_FALSE(HasFailure()) << "OBLIQ_MODEL_SEED=" << seed_
                               << " OBLIQ_MODEL_OPERATIONS=" << done + count << ", in span "
                               << spans << " after " << done;
    done += count;
  }
  RecordProperty("operations", static_cast<int>(done));
}

}  // namespace
}  // namespace obliq::testing
