// What a collection is made like is in its manifest, and stays.
#include "tools/collection_flags.h"

#include <fmt/core.h>

#include <stdexcept>

#include "collection/manifest.h"
#include "collection/store.h"
#include "tools/collections.h"
#include "tools/flags.h"

namespace obliq::tools {
namespace {

bool is_there(const std::string& directory) {
  return is_collection(directory) && CollectionDirectory(directory).newest_manifest() != 0;
}

}  // namespace

void CollectionFlags::add_flags(CLI::App& app) {
  const std::string of_new = "Of a collection that is made: ";
  app.add_option("--dim", dim_, of_new + "dims of its vectors; default: those of the input")
      ->check(positive_count());
  add_metric(app, metric_, "for a collection that is made, that of the input, else l2");
  codes_.add_flags(app);
  app.add_option("--seed", seed_, of_new + "seed of all randomness; default: 1");
  app.add_option("--train-at", train_at_,
                 of_new + fmt::format("vectors from which on a model is trained, 1000 or more; "
                                      "below, searches compare all; default: {}",
                                      CollectionOptions{}.train_at))
      ->check(positive_count());
}

CollectionOptions CollectionFlags::options(std::size_t dim, Metric metric) const {
  const Preset codes = codes_.choose();
  CollectionOptions options;
  options.dim = dim;
  options.metric = metric_.empty() ? metric : parse_metric(metric_);
  options.quantizer = codes.quantizer;
  options.raw = codes.raw;
  options.spill = codes.spill;
  options.seed = seed_.value_or(options.seed);
  options.ids = ids_;
  options.columns = columns_;
  options.train_at = train_at_.value_or(options.train_at);
  return options;
}

ColumnSchema CollectionFlags::columns_of(const std::string& directory) {
  if (!is_there(directory)) return {};
  return Collection::open(directory, {.read_only = true}).stats().columns;
}

Collection CollectionFlags::open_or_create(const std::string& directory, std::size_t dim,
                                           Metric metric, const CollectionAccess& access) const {
  if (dim_ != 0 && dim_ != dim) {
    throw std::invalid_argument(fmt::format("vectors have dim {}, not --dim {}", dim, dim_));
  }
  if (!is_there(directory)) {
    return Collection::create(directory, options(dim, metric), access);
  }
  require_same(directory);
  return Collection::open(directory, access);
}

// A script may give the same flags each time; a collection of another kind is a mistake.
void CollectionFlags::require_same(const std::string& path) const {
  const CollectionDirectory directory(path);
  ManifestInfo there;
  while_files_change(directory,
                     [&] { there = read_manifest(directory, directory.newest_manifest()).info; });
  const auto metric = static_cast<Metric>(there.metric);
  const ManifestInfo asked = manifest_of(options(there.dim, metric));
  const auto require = [&](bool same, const char* flag, const std::string& what) {
    if (same) return;
    throw std::invalid_argument(fmt::format(
        "{} is a collection with {}: leave out {}, or make another one", path, what, flag));
  };
  require(asked.metric == there.metric, "--metric", "metric " + to_string(metric));
  require(!seed_ || asked.seed == there.seed, "--seed", fmt::format("seed {}", there.seed));
  require(!train_at_ || asked.train_at == there.train_at, "--train-at",
          fmt::format("a model from {} vectors on", there.train_at));
  const bool same = std::string(asked.quantizer) == there.quantizer && asked.raw == there.raw &&
                    asked.spill == there.spill;
  require(!codes_.is_given() || same, "--quantizer, --preset, --raw and --spill",
          fmt::format("{}, raw {}, spill {}", there.quantizer,
                      to_string(static_cast<RawTier>(there.raw)), there.spill));
}

}  // namespace obliq::tools
