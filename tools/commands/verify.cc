// obliq verify: recomputes every checksum of an index, a collection, a model or a segment and
// checks what its parts say of each other; those of a segment only with its model. Of a collection,
// beside a writer or not: what the newest manifest names, and the logs behind it. 0: sound; 1:
// damaged or on a disk that cannot be read, and the line names file, section and offset; 2: nobody
// can tell, for there is no such file, or no memory, or too many files are open.
#include <fmt/core.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <new>
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
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

// Whether the disk does not give what it has taken.
bool is_damage(const std::error_code& code) {
  return code == std::errc::io_error || code == std::error_code(EUCLEAN, std::generic_category());
}

class Verify final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("index", index_, "Index, collection, model or segment")->required();
    app.add_option("--model", model_,
                   "Model of the segment: what the segment's parts say of each other and of the "
                   "model is checked too; without it the checksums alone")
        ->check(file_name());
    app.add_option("--rate", rate_, "Of a collection: the most MB read per second; 0: no limit")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    add_json(app, json_);
  }

  int run() override {
    try {
      return sound(check());
    } catch (const std::system_error& error) {
      if (!lacks_file(error.code()) && !is_damage(error.code())) {
        throw std::invalid_argument(error.what());  // nobody can tell
      }
      tell_damage(error.what());
      throw;
    } catch (const std::bad_alloc&) {
      throw std::invalid_argument("out of memory");
    } catch (const Cancelled&) {
      throw;
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
    ProgressBar bar("verify");
    collection.verify({1e6 * rate_, bar.callback()});
    return collection_line(collection.stats());
  }

  /// Checks the file. Returns a line on what it is.
  std::string check() const {
    if (is_collection(index_)) {
      refuse_model("a collection");
      return check_collection();
    }
    if (rate_ > 0) {
      throw std::invalid_argument(index_ + " is no collection: leave out --rate");
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
  double rate_ = 0;  // MB per second
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

}  // namespace obliq::tools
