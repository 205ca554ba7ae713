// obliq update: new values of columns for vectors of a collection, which stay as they are.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "obliq/collection.h"
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

constexpr const char* kIdColumn = "id";

class Update final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    columns_.add_flags(app);
    auto* ids = app.add_option("--ids", ids_file_,
                               "Ids of the vectors, one per value; default: column id of the "
                               "columns, numbers or, where ids are strings, texts")
                    ->check(file_name());
    app.add_option("--keys", keys_file_, "Text file of ids that are strings, one a line")
        ->check(file_name())
        ->excludes(ids);
    app.add_option("--batch", batch_, "Vectors per batch, which is changed whole or not at all")
        ->check(positive_count())
        ->capture_default_str();
    inputs_.add_format(app);
    add_json(app, json_);
  }

  int run() override {
    if (!columns_.is_given()) {
      throw std::invalid_argument("name the new values: --columns FILE.csv or --column NAME=FILE");
    }
    inputs_.settle({ids_file_});
    Collection collection = Collection::open(directory_);
    ProgressBar bar("update");
    Columns columns = read_columns(collection, bar.callback());
    const Ids ids = take_ids(collection, columns);
    if (columns.empty()) throw std::invalid_argument("there is no column but that of the ids");
    const auto start = std::chrono::steady_clock::now();
    update(collection, ids, columns, bar.callback());
    collection.sync();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    const CollectionStats stats = collection.stats();
    collection.close();
    print(stats, ids.size(), columns.size(), seconds.count());
    return kOk;
  }

 private:
  /// One of both.
  struct Ids {
    std::vector<std::int64_t> numbers;
    std::vector<std::string> keys;

    std::size_t size() const { return std::max(numbers.size(), keys.size()); }
  };

  bool has_id_column() const { return ids_file_.empty() && keys_file_.empty(); }

  Columns read_columns(const Collection& collection, const Progress& progress) const {
    ColumnSchema known = collection.stats().columns;
    if (has_id_column()) {
      const bool strings = collection.options().ids == IdType::string;
      known.insert(known.begin(), {kIdColumn, strings ? ColumnType::keyword : ColumnType::int64});
    }
    return columns_.read(known, progress);
  }

  /// Those of the files or of column id, which is then no other column.
  Ids take_ids(const Collection& collection, Columns& columns) const {
    Ids ids;
    if (!keys_file_.empty()) {
      require_ids(collection, directory_, IdType::string);
      ids.keys = read_keys(keys_file_);
    } else if (!ids_file_.empty()) {
      require_ids(collection, directory_, IdType::int64);
      ids.numbers = read_vector_ids(inputs_, ids_file_).values;
    } else {
      ids = ids_of_column(columns);
    }
    for (const ColumnValues& column : columns) {
      if (column.size() == ids.size()) continue;
      throw std::invalid_argument(fmt::format("column '{}' has {} values for {} ids: give one each",
                                              column.name(), column.size(), ids.size()));
    }
    return ids;
  }

  static Ids ids_of_column(Columns& columns) {
    const auto at = std::find_if(columns.begin(), columns.end(), [](const ColumnValues& column) {
      return column.name() == kIdColumn;
    });
    if (at == columns.end()) {
      throw std::invalid_argument(
          "the ids of the vectors are missing: give them as column id, or by --ids or --keys FILE");
    }
    Ids ids;
    for (std::size_t row = 0; row < at->size(); ++row) {
      if (at->is_null(row)) {
        throw std::invalid_argument(fmt::format("column 'id', row {}: an id is missing", row));
      }
      if (at->type() == ColumnType::int64) {
        ids.numbers.push_back(at->integer(row));
      } else {
        ids.keys.emplace_back(at->text(row));
      }
    }
    columns.erase(at);
    return ids;
  }

  void update(Collection& collection, const Ids& ids, const Columns& columns,
              const Progress& progress) const {
    const auto keys = views_of(ids.keys);
    for (std::size_t first = 0; first < ids.size(); first += batch_) {
      const std::size_t rows = std::min(batch_, ids.size() - first);
      const Columns values = slice_columns(columns, first, rows);
      try {
        if (keys.empty()) {
          collection.update(std::span(ids.numbers).subspan(first, rows), values);
        } else {
          collection.update(std::span(keys).subspan(first, rows), values);
        }
      } catch (const std::invalid_argument& error) {
        throw std::invalid_argument(
            fmt::format("rows {}:{}{}: {}", first, first + rows,
                        first == 0 ? "" : fmt::format(", the {} before them are updated", first),
                        error.what()));
      }
      report(progress, "values",
             static_cast<double>(first + rows) / static_cast<double>(ids.size()));
    }
  }

  void print(const CollectionStats& stats, std::size_t updated, std::size_t columns,
             double seconds) const {
    const double rate = updated == 0 ? 0 : static_cast<double>(updated) / seconds;
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = directory_;
      json["updated"] = updated;
      json["update_seconds"] = seconds;
      json["vectors_per_second"] = rate;
      return print_json(json);
    }
    fmt::print("{}: {} columns of {} vectors updated in {:.2f} s, {} per second ({})\n", directory_,
               columns, updated, seconds, rate_text(rate), collection_line(stats));
  }

  std::string directory_;
  std::string ids_file_;
  std::string keys_file_;
  ColumnFlags columns_;
  Inputs inputs_;
  std::size_t batch_ = 10000;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_update() { return std::make_unique<Update>(); }

}  // namespace obliq::tools
