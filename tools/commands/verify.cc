// obliq verify: recomputes every checksum of an index and checks what its parts say of each other.
// 0: sound; 1: damaged, and the line names file, section and offset; 2: there is no such file.
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
