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
#include "tools/keys.h"

namespace obliq::tools {
namespace {

class Remove final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("collection", directory_, "Directory of the collection")->required();
    auto* file = app.add_option("--ids", ids_file_, "File of ids; they need not be there")
                     ->check(file_name());
    auto* ids = app.add_option("--id", ids_, "Ids, with commas")->delimiter(',')->excludes(file);
    auto* keys =
        app.add_option("--keys", keys_file_, "Text file of ids that are strings, one a line")
            ->check(file_name())
            ->excludes(file)
            ->excludes(ids);
    app.add_option("--key", keys_, "An id that is a string; may be given again")
        ->allow_extra_args(false)
        ->excludes(file)
        ->excludes(ids)
        ->excludes(keys);
    inputs_.add_format(app);
    add_json(app, json_);
  }

  int run() override {
    const bool has_keys = !keys_file_.empty() || !keys_.empty();
    if (ids_file_.empty() && ids_.empty() && !has_keys) {
      throw std::invalid_argument(
          "name what to remove: --ids FILE or --id 1,2,3; --keys FILE or --key TEXT for strings");
    }
    inputs_.settle({ids_file_});
    if (!ids_file_.empty()) ids_ = inputs_.read_ids(ids_file_, "ids").values;
    if (!keys_file_.empty()) keys_ = read_keys(keys_file_);
    Collection collection = Collection::open(directory_);
    require_ids(collection, directory_, has_keys ? IdType::string : IdType::int64);
    const std::size_t removed =
        has_keys ? collection.remove(views_of(keys_)) : collection.remove(ids_);
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
      json["ids"] = ids_.size() + keys_.size();
      return print_json(json);
    }
    fmt::print("{}: removed {} vectors of {} ids ({})\n", directory_, removed,
               ids_.size() + keys_.size(), collection_line(stats));
  }

  std::string directory_;
  std::string ids_file_;
  std::vector<std::int64_t> ids_;
  std::string keys_file_;
  std::vector<std::string> keys_;
  Inputs inputs_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_remove() { return std::make_unique<Remove>(); }

}  // namespace obliq::tools
