// obliq verify: recomputes every checksum of an index and checks what its parts say of each other.
// 0: sound; 1: damaged or on a disk that cannot be read, and the line names file, section and
// offset; 2: there is no such file.
#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <system_error>

#include "obliq/index.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"

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
    app.add_option("index", index_, "Index")->required();
    add_json(app, json_);
  }

  int run() override {
    try {
      return sound(Index::open(index_, {.verify = true}).stats());
    } catch (const std::system_error& error) {
      if (!names_no_file(error.code())) throw;
      throw std::invalid_argument(error.what());  // nothing to verify: the caller's mistake
    } catch (const std::runtime_error& error) {
      if (json_) print_json({{"index", index_}, {"sound", false}, {"damage", error.what()}});
      throw;
    }
  }

 private:
  int sound(const IndexStats& stats) const {
    if (json_) {
      print_json({{"index", index_}, {"sound", true}, {"file_bytes", stats.file_bytes}});
    } else {
      fmt::print("{}: sound ({})\n", index_, stats_line(stats));
    }
    return kOk;
  }

  std::string index_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_verify() { return std::make_unique<Verify>(); }

}  // namespace obliq::tools
