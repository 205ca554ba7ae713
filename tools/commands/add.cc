// obliq add: vectors into a collection, batch by batch, each of which is there or not. What a
// killed command has added stays, and the next one can go on behind it.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "tools/collection_flags.h"
#include "tools/collections.h"
#include "tools/column_flags.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/keys.h"
#include "tools/progress_bar.h"
#include "tools/table.h"
#include "tools/vector_rows.h"

namespace obliq::tools {
namespace {

class Add final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory; made when it is not there")->required();
    app.add_option("vectors", vectors_, "Vectors; HDF5: FILE:dataset, default train")->required();
    auto* ids = app.add_option("--ids", ids_,
                               "64-bit ids, one per vector of VECTORS, none -1; default: new ones, "
                               "each above all that were ever there")
                    ->check(file_name());
    app.add_option("--keys", keys_,
                   "Text file with a string per vector of VECTORS, one a line, which are its ids; "
                   "a collection that is made has such ids from then on")
        ->check(file_name())
        ->excludes(ids);
    columns_.add_flags(app);
    app.add_flag("--upsert", upsert_, "Replace the vectors whose ids are there already");
    app.add_option("--rows", rows_, "Add only rows A:B of VECTORS, A to B - 1; default: all");
    app.add_option("--batch", batch_, "Vectors per batch, which is added whole or not at all")
        ->check(positive_count())
        ->capture_default_str();
    app.add_option("--durability", durability_,
                   "When a batch outlives a power failure: every, once it is added; none, once the "
                   "command ends. A killed process loses none")
        ->check(CLI::IsMember({"every", "none"}))
        ->capture_default_str();
    flags_.add_flags(app);
    app.add_flag("--wait", wait_,
                 "Wait until nothing is left to do in the background: training, merging, tuning; "
                 "without it the next command that writes goes on with it");
    inputs_.add_format(app);
    add_threads(app, access_.threads, "Threads to encode, train and tune with");
    add_json(app, json_);
  }

  int run() override {
    if (upsert_ && ids_.empty() && keys_.empty()) {
      throw std::invalid_argument("--upsert takes the ids of the vectors: --ids or --keys FILE");
    }
    inputs_.settle({vectors_, ids_});
    access_.durability = parse_durability(durability_);
    const auto vectors = inputs_.open(vectors_, "train");
    const Range range = rows_of_file(rows_, vectors->rows(), vectors_);
    const auto ids = read_ids_of(vectors_, vectors->rows(), inputs_, ids_);
    const auto keys = read_keys_of(vectors_, vectors->rows(), keys_);
    const IdType type = keys_.empty() ? IdType::int64 : IdType::string;
    flags_.set_ids(type);
    ProgressBar bar("add");
    const Columns columns = columns_.read_of(
        vectors_, vectors->rows(),
        columns_.is_given() ? CollectionFlags::columns_of(directory_) : ColumnSchema(),
        bar.callback());
    flags_.set_columns(schema_of_columns(columns));
    Collection collection = flags_.open_or_create(
        directory_, vectors->dim(), inputs_.metric(flags_.metric(), vectors_), access_);
    require_metric(collection.options().metric);
    require_ids(collection, directory_, type);
    const std::size_t before = collection.count();
    const auto start = std::chrono::steady_clock::now();
    add_rows(collection, *vectors, range, {ids.view(), views_of(keys), columns}, bar.callback());
    collection.sync();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    const std::size_t added = range.end - range.first;
    const std::size_t replaced = added - (collection.count() - before);
    if (wait_) collection.wait();
    const CollectionStats stats = collection.stats();
    collection.close();
    print(stats, added, replaced, seconds.count());
    return kOk;
  }

 private:
  /// Of all vectors of the file: ids or keys or neither, and columns.
  struct Names {
    MatrixView<std::int64_t> ids;
    std::vector<std::string_view> keys;
    const Columns& columns;
  };

  /// A set tells what its distances are; vectors of another may still be meant, by the flag.
  void require_metric(Metric metric) const {
    const Metric told = inputs_.told_metric(vectors_).value_or(metric);
    if (told == metric || !flags_.metric().empty()) return;
    throw std::invalid_argument(
        fmt::format("the metric of {} is {}, that of {} is {}: --metric {} adds its vectors all "
                    "the same",
                    vectors_, to_string(told), directory_, to_string(metric), to_string(metric)));
  }

  void add_rows(Collection& collection, const VectorSource& vectors, Range range,
                const Names& names, const Progress& progress) {
    Matrix<float> batch;
    for (std::size_t first = range.first; first < range.end; first += batch.rows) {
      batch = Matrix<float>(std::min(batch_, range.end - first), vectors.dim());
      vectors.read(first, batch.rows, batch.values.data());
      try {
        add_batch(collection, batch.view(), names, first);
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(at(first, batch.rows, range.first) + error.what());
      } catch (const std::runtime_error& error) {
        throw std::runtime_error(at(first, batch.rows, range.first) + error.what());
      }
      const std::size_t done = first + batch.rows - range.first;
      report(progress, "vectors",
             static_cast<double>(done) / static_cast<double>(range.end - range.first));
    }
  }

  void add_batch(Collection& collection, MatrixView<float> batch, const Names& names,
                 std::size_t first) {
    const MatrixView<std::int64_t> ids = names.ids;
    const Columns columns = slice_columns(names.columns, first, batch.rows);
    if (!names.keys.empty()) {
      const auto keys = std::span(names.keys).subspan(first, batch.rows);
      upsert_ ? collection.upsert(batch, keys, columns) : collection.add(batch, keys, columns);
    } else if (ids.rows == 0) {
      const std::int64_t id = collection.add(batch, columns);
      if (!first_id_) first_id_ = id;
    } else if (upsert_) {
      collection.upsert(batch, ids.slice(first, batch.rows), columns);
    } else {
      collection.add(batch, ids.slice(first, batch.rows), columns);
    }
  }

  /// "rows 2000:3000 of FILE, the 2000 before them are added: ".
  std::string at(std::size_t first, std::size_t rows, std::size_t begin) const {
    return fmt::format(
        "rows {}:{} of {}{}: ", first, first + rows, vectors_,
        first == begin ? "" : fmt::format(", the {} before them are added", first - begin));
  }

  void print(const CollectionStats& stats, std::size_t added, std::size_t replaced,
             double seconds) const {
    const double rate = added == 0 ? 0 : static_cast<double>(added) / seconds;
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = directory_;
      json["added"] = added;
      json["replaced"] = replaced;
      if (first_id_) json["first_id"] = *first_id_;
      json["add_seconds"] = seconds;
      json["vectors_per_second"] = rate;
      return print_json(json);
    }
    std::string what = fmt::format("added {} vectors", added);
    if (upsert_) what += fmt::format(", {} of them in the place of others", replaced);
    if (first_id_) what += fmt::format(" with ids from {} on", *first_id_);
    fmt::print("{}: {} in {:.2f} s, {} per second ({})\n", directory_, what, seconds,
               rate_text(rate), collection_line(stats));
  }

  std::string directory_;
  std::string vectors_;
  std::string ids_;
  std::string keys_;
  std::string rows_;
  std::string durability_ = to_string(Durability::every);
  std::size_t batch_ = 1000;
  bool upsert_ = false;
  bool wait_ = false;
  bool json_ = false;
  CollectionFlags flags_;
  ColumnFlags columns_;
  CollectionAccess access_;
  Inputs inputs_;
  std::optional<std::int64_t> first_id_;  // of those without ids; the others follow it
};

}  // namespace

std::unique_ptr<Command> make_add() { return std::make_unique<Add>(); }

}  // namespace obliq::tools
