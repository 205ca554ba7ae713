// obliq advise: proposes an index for a bound on memory and a target recall, from a sample of the
// set. --check builds it and compares the predictions with the truth.
#include <fmt/core.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "datasets/dataset.h"
#include "tools/command.h"
#include "tools/describe.h"
#include "tools/flags.h"
#include "tools/inputs.h"
#include "tools/interrupt.h"
#include "tools/measure/advice.h"
#include "tools/measure/questions.h"
#include "tools/measure/sample.h"
#include "tools/outputs.h"
#include "tools/progress_bar.h"
#include "tools/table.h"

namespace obliq::tools {
namespace {

constexpr std::size_t kShown = 8;
constexpr std::size_t kCheckRounds = 5;
constexpr std::size_t kReliableShare = 5;  // a sample of less than a fifth is pessimistic

std::string quoted(const std::string& word) {
  const bool plain = word.find_first_of(" '\"\\$&;()*?<>|`") == std::string::npos;
  return plain ? word : "'" + word + "'";
}

std::string code_text(const IndexShape& shape) {
  return shape.raw == RawTier::none ? shape.quantizer
                                    : shape.quantizer + " + " + to_string(shape.raw);
}

nlohmann::ordered_json proposal_json(const Proposal& proposal) {
  const auto known = [&](double value) {
    return proposal.reaches ? nlohmann::ordered_json(value) : nullptr;
  };
  return {{"quantizer", proposal.shape.quantizer},
          {"raw", to_string(proposal.shape.raw)},
          {"spill", proposal.shape.spill},
          {"nlist", proposal.shape.nlist},
          {"bytes_per_vector", proposal.size.bytes_per_vector},
          {"file_bytes", proposal.size.file_bytes},
          {"ceiling", proposal.ceiling},
          {"fits", proposal.fits},
          {"reaches", proposal.reaches},
          {"recall", known(proposal.recall)},
          {"qps", known(proposal.qps)},
          {"lists", known(proposal.lists)}};
}

std::string proposals_text(const std::vector<Proposal>& proposals, const Proposal* best) {
  Table table({{""},
               {"quantizer", Align::left},
               {"spill"},
               {"nlist"},
               {"bytes/vector"},
               {"file"},
               {"ceiling"},
               {"recall"},
               {"QPS"}});
  std::size_t shown = 0;
  for (const Proposal& p : proposals) {
    if (!p.fits || !p.reaches || (++shown > kShown && &p != best)) continue;
    table.add({&p == best ? "->" : "", code_text(p.shape), fmt::format("{:.1f}", p.shape.spill),
               std::to_string(p.shape.nlist), fmt::format("{:.1f}", p.size.bytes_per_vector),
               bytes_text(static_cast<double>(p.size.file_bytes)), fmt::format("{:.4f}", p.ceiling),
               fmt::format("{:.4f}", p.recall), rate_text(p.qps)});
  }
  return table.text();
}

class Advise final : public Command {
 public:
  void add_flags(CLI::App& app) override {
    app.add_option("set", set_, "Base vectors; HDF5: FILE:dataset, default train")->required();
    app.add_option("--memory", request_.memory,
                   "Bytes that the index may take, ids and centroids too, as 500MB or 2GB; 0: any")
        ->transform(CLI::AsSizeValue(true))
        ->capture_default_str();
    app.add_option("--target-recall", request_.target_recall, "Recall to reach")
        ->check(number_between(0.5, 0.999))
        ->capture_default_str();
    app.add_option("-k", request_.k, "Neighbours per query")
        ->check(number_between(1, 1000))
        ->capture_default_str();
    app.add_option(
           "--queries", queries_,
           "Queries like those to come; default: learn_queries, learn or test of an HDF5 set, "
           "else base vectors that are left out")
        ->check(file_name());
    app.add_option("--sample", sample_.rows, "Base vectors to look at, at most")
        ->check(number_between(8000, 10e6))
        ->capture_default_str();
    app.add_option("--check", check_,
                   "Build the proposal as this file, and compare; needs a set (.hdf5)")
        ->check(file_name());
    inputs_.add_format(app);
    add_metric(app, metric_, "that of SET when it is an HDF5 set, else l2");
    add_seed(app, sample_.seed);
    add_threads(app, threads_, "Threads of the builds; searches take one");
    add_json(app, json_);
  }

  int run() override {
    if (!check_.empty()) {
      check_outputs({check_}, {set_, queries_});
      refuse_foreign_suffix(check_, "an index");
    }
    inputs_.settle({set_, queries_});
    if (!check_.empty() && !inputs_.is_hdf5(set_)) {
      throw std::invalid_argument("--check needs queries and ground truth: give a set (.hdf5)");
    }
    metric_read_ = inputs_.metric(metric_, set_);
    const auto base = inputs_.open(set_, "train");
    request_.n = base->rows();
    ProgressBar bar("advise");
    const Progress progress = bar.callback();
    report(progress, "reading", 0);
    Sample sample = draw_sample(*base, set_, queries(), sample_);
    const std::string from = sample.queries_from;
    const Study study(std::move(sample.base), std::move(sample.queries),
                      {metric_read_, request_.k, sample_.seed, threads_}, progress);
    const std::vector<Proposal> proposals = propose(study, request_, progress);
    bar.clear();
    const Proposal* best = recommended(proposals);
    print(study, from, proposals, best);
    if (best == nullptr) return complain(proposals);
    if (!check_.empty()) check(*best, *base, progress);
    return kOk;
  }

 private:
  /// Opens what to ask; nothing where base vectors are to stand in.
  SampleQueries queries() const {
    std::string from = queries_;
    if (from.empty() && inputs_.is_hdf5(set_)) from = datasets::queries_of_set(set_);
    if (from.empty()) return {};
    return {inputs_.open(from, "test"), from};
  }

  std::string command(const Proposal& proposal) const {
    const IndexShape& shape = proposal.shape;
    const std::string_view preset = preset_of(shape);
    std::string text = fmt::format("obliq build {} -o {}", quoted(set_),
                                   check_.empty() ? "index.obliq" : quoted(check_));
    if (!preset.empty()) {
      text += fmt::format(" --preset {}", preset);
    } else {
      text += fmt::format(" --quantizer {}", shape.quantizer);
      if (shape.raw != RawTier::none) text += fmt::format(" --raw {}", to_string(shape.raw));
      if (shape.spill > 0) text += fmt::format(" --spill {}", shape.spill);
    }
    return text + fmt::format(" --nlist {} --metric {}{}", shape.nlist, to_string(metric_read_),
                              inputs_.format_flag());
  }

  void print(const Study& study, const std::string& from, const std::vector<Proposal>& proposals,
             const Proposal* best) const {
    if (json_) {
      for (const Proposal& proposal : proposals) {
        nlohmann::ordered_json json = proposal_json(proposal);
        json["recommended"] = &proposal == best;
        if (&proposal == best) json["command"] = command(proposal);
        print_json(json);
      }
      return;
    }
    fmt::print("{} x {}, {}; from a sample of {} and {}, k = {}\n", request_.n, study.dim(),
               to_string(metric_read_), study.n(kSample), from, request_.k);
    if (study.n(kSample) < request_.n / kReliableShare) {
      fmt::print(
          "the sample is small compared with the set: where vectors lie in clusters, expect "
          "more speed than predicted, or give --sample\n");
    }
    fmt::print("\n");
    if (best == nullptr) return;
    fmt::print("{}\n{}\nthen search it with --target-recall {}\n", proposals_text(proposals, best),
               command(*best), request_.target_recall);
  }

  /// Says why nothing is proposed; returns an ExitCode.
  int complain(const std::vector<Proposal>& proposals) const {
    const Proposal* least = smallest(proposals);
    if (least == nullptr) {
      double highest = 0;
      for (const Proposal& proposal : proposals) highest = std::max(highest, proposal.ceiling);
      fmt::print(stderr, "obliq advise: recall {} is out of reach: the highest is about {:.4f}\n",
                 request_.target_recall, highest);
      return kFailed;
    }
    fmt::print(stderr,
               "obliq advise: nothing reaches recall {} in {}: that needs at least {} ({}, spill "
               "{})\n",
               request_.target_recall, bytes_text(static_cast<double>(request_.memory)),
               bytes_text(static_cast<double>(least->size.file_bytes)), code_text(least->shape),
               least->shape.spill);
    return kFailed;
  }

  void check(const Proposal& proposal, const VectorSource& base, const Progress& progress) {
    BuildOptions build;
    build.metric = metric_read_;
    build.quantizer = proposal.shape.quantizer;
    build.raw = proposal.shape.raw;
    build.spill = proposal.shape.spill;
    build.nlist = proposal.shape.nlist;
    build.threads = threads_;
    build.progress = progress;
    build_checked(base, build);
    const Index index = Index::open(check_, {.residence = Residence::memory});
    const auto set = read_questions(set_, check_, index.stats());
    SearchOptions search;
    search.k = request_.k;
    search.target_recall = request_.target_recall;
    const Questions questions = {set.test.view(), &set.truth, set.metric};
    compare(proposal, index.stats(),
            profile_search(index, search, questions, kCheckRounds, measure_bandwidth()));
  }

  void build_checked(const VectorSource& base, const BuildOptions& build) const {
    const HoldInterrupts held;
    Index::build_file(base, check_, build);
  }

  void compare(const Proposal& proposal, const IndexStats& stats, const Profile& found) const {
    const double lists =
        static_cast<double>(found.counters.lists) / static_cast<double>(found.queries);
    Table table({{"", Align::left}, {"predicted"}, {"true"}, {"true / predicted"}});
    nlohmann::ordered_json json = {{"check", check_}};
    const auto add = [&](const std::string& name, double predicted, double truth, int digits) {
      json[name] = {{"predicted", predicted}, {"true", truth}};
      table.add({name, fmt::format("{:.{}f}", predicted, digits),
                 fmt::format("{:.{}f}", truth, digits), fmt::format("{:.3f}", truth / predicted)});
    };
    add("file_bytes", static_cast<double>(proposal.size.file_bytes),
        static_cast<double>(stats.file_bytes), 0);
    add("recall", proposal.recall, found.recall, 4);
    add("qps", proposal.qps, 1e6 / found.us, 0);
    add("lists", proposal.lists, lists, 1);
    if (json_) return print_json(json);
    fmt::print("\n{}", table.text());
  }

  std::string set_;
  std::string queries_;
  std::string check_;
  std::string metric_;
  Metric metric_read_ = Metric::l2;
  AdviceRequest request_;
  SampleOptions sample_;
  int threads_ = 0;
  Inputs inputs_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_advise() { return std::make_unique<Advise>(); }

}  // namespace obliq::tools
