// obliq train: learns a model from a base or a sample of it. Parts of the base are then encoded
// under it, anywhere (encode), and merged into the index that build would have written (merge).
#include <fmt/core.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "obliq/model.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/interrupt.h"
#include "tools/learn_flags.h"
#include "tools/outputs.h"
#include "tools/parts.h"
#include "tools/progress_bar.h"

namespace obliq::tools {
namespace {

class Train final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    learn_.add_flags(app, "the model");
    app.add_option("-o,--output", output_, "Model to write")->required();
    app.add_option("--n", n_,
                   "Vectors of the whole base, where BASE is a sample of it; give the --ids of the "
                   "sample then; default: as many as BASE holds")
        ->check(positive_count());
    add_json(app, json_);
  }

  int run() override {
    check_outputs({output_}, learn_.files());
    refuse_foreign_suffix(output_, "a model");
    learn_.read();
    const auto base = learn_.open_base();
    check_n(base->rows());
    learn_.warn_of_small_lists("obliq train", n_ == 0 ? base->rows() : n_);
    ProgressBar bar("train");
    learn_.options().progress = bar.callback();
    const auto start = std::chrono::steady_clock::now();
    const Model model = write(*base);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    bar.clear();
    print(model.stats(), seconds.count());
    return kOk;
  }

 private:
  void check_n(std::size_t rows) const {
    if (n_ == 0 || n_ >= rows) return;
    throw std::invalid_argument(fmt::format(
        "--n {} is less than the {} vectors to learn from: it is the size of the whole base", n_,
        rows));
  }

  Model write(const VectorSource& base) {
    const HoldInterrupts held;
    Model model = Model::train(base, learn_.options(), n_);
    model.save(output_);
    return model;
  }

  void print(const ModelStats& stats, double seconds) const {
    if (!json_) {
      fmt::print(beside(output_), "{}: {} (trained in {:.2f} s)\n", output_, model_line(stats),
                 seconds);
      return;
    }
    nlohmann::ordered_json json = model_json(stats);
    json["output"] = output_;
    json["train_seconds"] = seconds;
    print_json(json, beside(output_));
  }

  LearnFlags learn_;
  std::string output_;
  std::size_t n_ = 0;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_train() { return std::make_unique<Train>(); }

}  // namespace obliq::tools
