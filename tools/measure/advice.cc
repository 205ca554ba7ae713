#include "tools/measure/advice.h"

#include <algorithm>
#include <cmath>

#include "index/segment/list_counts.h"

namespace obliq::tools {
namespace {

constexpr double kSlower = 1.1;  // what a smaller index may cost in time

/// What a search for the target does at both sizes.
struct Routes {
  Profile quarter;
  Profile sample;
};

std::optional<Routes> find_routes(const Study& study, const AdviceRequest& request,
                                  const CodeStudy& code, double spill) {
  const double target = request.target_recall / code.ceiling * study.codes().front().ceiling;
  auto quarter = study.route(kQuarter, spill, target);
  auto sample = study.route(kSample, spill, target);
  if (!quarter || !sample) return std::nullopt;
  return Routes{std::move(*quarter), std::move(*sample)};
}

double per_item(double value, double count) { return count > 0 ? value / count : 0; }

/// Sizes that vary among the lists of `shape` as they do among those of the sample.
std::vector<std::uint32_t> grown_sizes(const Study& study, const IndexShape& shape) {
  const std::vector<std::uint32_t>& sampled = study.list_sizes(shape.spill);
  const double lists = static_cast<double>(shape.nlist) / static_cast<double>(sampled.size());
  const double vectors = static_cast<double>(shape.n) / static_cast<double>(study.n(kSample));
  std::vector<std::uint32_t> sizes(shape.nlist);
  for (std::size_t l = 0; l < sizes.size(); ++l) {
    sizes[l] =
        static_cast<std::uint32_t>(std::lround(vectors / lists * sampled[l % sampled.size()]));
  }
  return sizes;
}

/// Microseconds of a query in an index of `shape`.
double grown_us(const Study& study, const Routes& routes, const IndexShape& shape,
                const CodeStudy& code) {
  IndexShape sampled = shape;
  sampled.n = study.n(kSample);
  sampled.nlist = study.nlist(kSample);
  const double ratio = static_cast<double>(shape.n) / static_cast<double>(sampled.n);
  const auto here = stage_structures(shape);
  const auto there = stage_structures(sampled);
  double us = code.raw_us;
  for (std::size_t s = 0; s < routes.sample.stages.size(); ++s) {
    const StageProfile& stage = routes.sample.stages[s];
    if (stage.stage == "clock") continue;
    if (stage.bytes == 0) {
      us += stage.us;
      continue;
    }
    const double items = grown(routes.quarter.stages[s].count, stage.count, ratio);
    const double farther = 1 / bandwidth_for(study.bandwidths(), here[s]).gb_per_s -
                           1 / bandwidth_for(study.bandwidths(), there[s]).gb_per_s;
    us += items * (stage.us + stage.bytes * farther / 1e3) / stage.count;
    if (s == static_cast<std::size_t>(Stage::refine)) us += items * code.row_us;
  }
  return us;
}

Proposal make_proposal(const Study& study, const AdviceRequest& request, const CodeStudy& code,
                       double spill) {
  Proposal proposal;
  proposal.shape = {request.n,           study.dim(),   choose_nlist(request.n),
                    code.code.quantizer, code.code.raw, spill};
  proposal.shape.far_lists =
      static_cast<std::size_t>(study.far_share() * static_cast<double>(proposal.shape.nlist));
  proposal.size = index_size(proposal.shape, grown_sizes(study, proposal.shape));
  proposal.ceiling = code.ceiling;
  proposal.fits = request.memory == 0 || proposal.size.file_bytes <= request.memory;
  const auto routes = find_routes(study, request, code, spill);
  if (!routes) return proposal;
  const double ratio = static_cast<double>(request.n) / static_cast<double>(study.n(kSample));
  proposal.reaches = true;
  proposal.recall = routes->sample.recall * code.ceiling / study.codes().front().ceiling;
  proposal.qps = 1e6 / grown_us(study, *routes, proposal.shape, code);
  const auto lists = [](const Profile& profile) {
    return per_item(static_cast<double>(profile.counters.lists),
                    static_cast<double>(profile.queries));
  };
  proposal.lists = grown(lists(routes->quarter), lists(routes->sample), ratio);
  return proposal;
}

}  // namespace

double grown(double quarter, double sample, double ratio) {
  if (!(quarter > 0 && sample > 0)) return sample;
  const double exponent = std::clamp(std::log(sample / quarter) / std::log(4.0), 0.0, 1.0);
  return sample * std::pow(ratio, exponent);
}

std::vector<Proposal> propose(const Study& study, const AdviceRequest& request,
                              const Progress& progress) {
  std::vector<Proposal> proposals;
  const std::size_t all = study.codes().size() * kStudiedSpills.size();
  for (const CodeStudy& code : study.codes()) {
    for (const double spill : kStudiedSpills) {
      report(progress, "searching",
             static_cast<double>(proposals.size()) / static_cast<double>(all));
      proposals.push_back(make_proposal(study, request, code, spill));
    }
  }
  std::stable_sort(proposals.begin(), proposals.end(),
                   [](const Proposal& a, const Proposal& b) { return a.qps > b.qps; });
  return proposals;
}

const Proposal* recommended(std::span<const Proposal> proposals) {
  double fastest = 0;
  for (const Proposal& p : proposals) {
    if (p.fits && p.reaches) fastest = std::max(fastest, p.qps);
  }
  const Proposal* best = nullptr;
  for (const Proposal& p : proposals) {
    if (!p.fits || !p.reaches || kSlower * p.qps < fastest) continue;
    if (best == nullptr || p.size.file_bytes < best->size.file_bytes) best = &p;
  }
  return best;
}

const Proposal* smallest(std::span<const Proposal> proposals) {
  const Proposal* least = nullptr;
  for (const Proposal& p : proposals) {
    if (!p.reaches) continue;
    if (least == nullptr || p.size.file_bytes < least->size.file_bytes) least = &p;
  }
  return least;
}

std::string_view preset_of(const IndexShape& shape) {
  for (const Preset& preset : presets()) {
    if (preset.quantizer == shape.quantizer && preset.raw == shape.raw &&
        preset.spill == shape.spill)
      return preset.name;
  }
  return {};
}

}  // namespace obliq::tools
