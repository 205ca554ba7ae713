// obliq matmul: the error of A^T B estimated from codes of A and of B, beside what theory allows.
// measure/product_error.h says how it is measured.
#include <fmt/core.h>

#include <algorithm>
#include <string>
#include <vector>

#include "measure/product_error.h"
#include "measure/theory.h"
#include "obliq/quantizer.h"
#include "tools/command.h"
#include "tools/flags.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

/// One code at one correlation.
struct Line {
  double rho;
  std::string code;
  double bits;
  ProductError measured;
};

nlohmann::ordered_json to_json(const Line& line, const ProductSetting& setting) {
  return {{"rho", line.rho},
          {"code", line.code},
          {"bits", line.bits},
          {"error", line.measured.error},
          {"bound", line.measured.bound},
          {"gamma", product_distortion(line.bits)},
          {"dim", setting.dim},
          {"columns", setting.columns},
          {"trials", setting.trials}};
}

std::string to_text(const std::vector<Line>& lines) {
  Table table({{"rho"}, {"code", Align::left}, {"bits"}, {"error"}, {"bound"}, {"error/bound"}});
  for (const Line& line : lines) {
    table.add({fmt::format("{:.2g}", line.rho), line.code, fmt::format("{:.3f}", line.bits),
               fmt::format("{:.5f}", line.measured.error),
               fmt::format("{:.5f}", line.measured.bound),
               fmt::format("{:.3f}", line.measured.error / line.measured.bound)});
  }
  return table.text();
}

class Matmul final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("--specs", specs_, "Quantizers, with commas")
        ->delimiter(',')
        ->capture_default_str();
    app.add_option("--bits", bits_, "Rates of the ideal Gaussian channel, with commas")
        ->delimiter(',')
        ->check(number_between(0.01, 12.0))
        ->capture_default_str();
    app.add_option("--rho", rhos_, "Correlations of column j of A with column j of B, with commas")
        ->delimiter(',')
        ->check(number_between(-1.0, 1.0))
        ->capture_default_str();
    add_size(app, "--dim", setting_.dim, "Rows of A and of B");
    add_size(app, "--columns", setting_.columns, "Columns of A and of B");
    add_size(app, "--trials", setting_.trials, "Pairs of matrices");
    add_seed(app, setting_.seed);
    add_json(app, json_);
  }

  int run() override {
    std::vector<QuantizerPtr> quantizers;
    for (const std::string& spec : specs_) {
      quantizers.push_back(make_quantizer(spec, setting_.dim, setting_.seed));
    }
    std::vector<Line> lines;
    for (const double rho : rhos_) {
      setting_.rho = rho;
      const std::size_t first = lines.size();
      for (const double bits : bits_) {
        lines.push_back({rho, "ideal channel", bits, channel_product_error(bits, setting_)});
      }
      for (const QuantizerPtr& quantizer : quantizers) {
        lines.push_back({rho, quantizer->spec(), quantizer->bits(),
                         quantizer_product_error(*quantizer, setting_)});
      }
      std::stable_sort(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.end(),
                       [](const Line& a, const Line& b) { return a.bits < b.bits; });
    }
    if (!json_) fmt::print("{}", to_text(lines));
    for (const Line& line : lines) {
      if (json_) print_json(to_json(line, setting_));
    }
    return kOk;
  }

 private:
  static void add_size(CLI::App& app, const char* flag, std::size_t& size, const char* what) {
    app.add_option(flag, size, what)->check(positive_count())->capture_default_str();
  }

  std::vector<std::string> specs_ = {"lm1",     "e8q2:k1", "lm2", "e8q4:k1:dither", "e8q4", "lm3",
                                     "e8q8:k1", "e8q7",    "lm4", "e8q16:k1",       "e8q14"};
  std::vector<double> bits_ = {1, 2, 3, 4};
  std::vector<double> rhos_ = {0, 0.3, 0.8};
  ProductSetting setting_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_matmul() { return std::make_unique<Matmul>(); }

}  // namespace obliq::tools
