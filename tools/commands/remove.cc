// obliq remove: vectors out of a collection, by their ids, all in one change.
#include <fmt/core.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "obliq/collection.h"
#include "tools/collections.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/inputs.h"

namespace obliq::tools {
namespace {

class Remove final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    auto* file = app.add_option("--ids", ids_file_, "File of ids; they need not be there")
                     ->check(file_name());
    app.add_option("--id", ids_, "Ids, with commas")->delimiter(',')->excludes(file);
    inputs_.add_format(app);
    add_json(app, json_);
  }

  int run() override {
    if (ids_file_.empty() && ids_.empty()) {
      throw std::invalid_argument("name what to remove: --ids FILE or --id 1,2,3");
    }
    inputs_.settle({ids_file_});
    if (!ids_file_.empty()) ids_ = inputs_.read_ids(ids_file_, "ids").values;
    Collection collection = Collection::open(directory_);
    const std::size_t removed = collection.remove(ids_);
    const CollectionStats stats = collection.stats();
    collection.close();
    print(stats, removed);
    return kOk;
  }

 private:
  void print(const CollectionStats& stats, std::size_t removed) const {
    if (json_) {
      nlohmann::ordered_json json = collection_json(stats);
      json["collection"] = directory_;
      json["removed"] = removed;
      json["ids"] = ids_.size();
      return print_json(json);
    }
    fmt::print("{}: removed {} vectors of {} ids ({})\n", directory_, removed, ids_.size(),
               collection_line(stats));
  }

  std::string directory_;
  std::string ids_file_;
  std::vector<std::int64_t> ids_;
  Inputs inputs_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_remove() { return std::make_unique<Remove>(); }

}  // namespace obliq::tools
