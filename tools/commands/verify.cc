// obliq verify: recomputes every checksum of an index, a collection, a model or a segment and
// checks what its parts say of each other; those of a segment only with its model. Of a collection,
// beside a writer or not: what the newest manifest names, and the logs behind it. 0: sound; 1:
// damaged or on a disk that cannot be read, and the line names file, section and offset; 2: there
// is no such file.
#include <fmt/core.h>

#include <array>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>

#include "collection/directory.h"
#include "obliq/collection.h"
#include "obliq/index.h"
#include "tools/collections.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/parts.h"

namespace obliq::tools {
namespace {

// Whether the path leads to no regular file that this user may read.
bool names_no_file(const std::error_code& code) {
  for (const std::errc mistake :
       {std::errc::no_such_file_or_directory, std::errc::not_a_directory, std::errc::is_a_directory,
        std::errc::permission_denied, std::errc::invalid_argument, std::errc::filename_too_long,
        std::errc::too_many_symbolic_link_levels}) {
    if (code == mistake) return true;
  }
  return false;
}

class Verify final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index, collection, model or segment")->required();
    app.add_option("--model", model_,
                   "Model of the segment: what the segment's parts say of each other and of the "
                   "model is checked too; without it the checksums alone")
        ->check(file_name());
    add_json(app, json_);
  }

  int run() override {
    try {
      return sound(check());
    } catch (const std::system_error& error) {
      if (lacks_file(error.code())) tell_damage(error.what());
      if (lacks_file(error.code()) || !names_no_file(error.code())) throw;
      throw std::invalid_argument(error.what());  // nothing to verify: the caller's mistake
    } catch (const std::runtime_error& error) {
      tell_damage(error.what());
      throw;
    }
  }

 private:
  void tell_damage(const char* damage) const {
    if (json_) print_json({{"index", index_}, {"sound", false}, {"damage", damage}});
  }

  /// Whether a file is missing that a collection names.
  bool lacks_file(const std::error_code& code) const {
    return is_collection(index_) && code == std::errc::no_such_file_or_directory;
  }

  std::string check_collection() const {
    const CollectionDirectory directory(index_);
    if (directory.newest_manifest() == 0 && directory.logs_from(0).empty()) {
      throw std::invalid_argument(index_ + " is a directory without a collection");
    }
    const Collection collection = Collection::open(index_, {.read_only = true});
    collection.verify();
    return collection_line(collection.stats());
  }

  /// Checks the file. Returns a line on what it is.
  std::string check() const {
    if (is_collection(index_)) {
      refuse_model("a collection");
      return check_collection();
    }
    const FileKind kind = file_kind(index_);
    if (kind != FileKind::segment) refuse_model(kind == FileKind::model ? "a model" : "an index");
    const OpenOptions options{.verify = true};
    if (kind == FileKind::index) return stats_line(Index::open(index_, options).stats());
    if (kind == FileKind::model) return model_line(Model::open(index_, options).stats());
    if (model_.empty()) {
      verify_sections(index_);
      return segment_line(segment_json(index_)) + "; checksums only, --model checks the rest";
    }
    (void)Index::open(Model::open(model_), std::array{index_}, options);
    return segment_line(segment_json(index_));
  }

  void refuse_model(const char* kind) const {
    if (model_.empty()) return;
    throw std::invalid_argument(
        fmt::format("{} is {}: leave out --model, which is for segments", index_, kind));
  }

  int sound(const std::string& line) const {
    if (json_) {
      const std::uint64_t bytes =
          is_collection(index_) ? directory_bytes(index_) : std::filesystem::file_size(index_);
      print_json({{"index", index_}, {"sound", true}, {"file_bytes", bytes}});
    } else {
      fmt::print("{}: sound ({})\n", index_, line);
    }
    return kOk;
  }

  std::string index_;
  std::string model_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

}  // namespace obliq::tools
