// obliq add-column: more columns for the vectors of a collection, which have NULL in them until
// update gives them values.
#include <fmt/core.h>

#include <string>
#include <vector>

#include "obliq/collection.h"
#include "tools/collections.h"
#include "tools/column_flags.h"
#include "tools/command.h"
#include "tools/flags.h"

namespace obliq::tools {
namespace {

class AddColumn final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    app.add_option("columns", columns_,
                   "NAME=TYPE of each: int64, double, bool, timestamp, keyword, keywords, bytes")
        ->required();
    add_json(app, json_);
  }

  int run() override {
    ColumnSchema added;
    for (const std::string& column : columns_) {
      added.push_back(parse_column_spec("a column", column));
    }
    Collection collection = Collection::open(directory_);
    for (const ColumnSpec& column : added) collection.add_column(column);
    const CollectionStats stats = collection.stats();
    collection.close();
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = directory_;
      print_json(json);
    } else {
      fmt::print("{}: columns {}\n", directory_, schema_text(stats.columns));
    }
    return kOk;
  }

 private:
  std::string directory_;
  std::vector<std::string> columns_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_add_column() { return std::make_unique<AddColumn>(); }

}  // namespace obliq::tools
