#include "python/learn_options.h"

namespace obliq::python {

BuildOptions build_options(const LearnOptions& options, const std::optional<Ids>& ids,
                           const std::optional<FloatMatrix>& centroids,
                           const std::optional<FloatMatrix>& train_queries) {
  BuildOptions build;
  build.metric = parse_metric(options.metric);
  std::optional<RawTier> raw;
  if (!options.raw.empty()) raw = parse_raw_tier(options.raw);
  const Preset codes = choose_codes(options.preset, options.quantizer, raw, options.spill);
  build.quantizer = codes.quantizer;
  build.raw = codes.raw;
  build.spill = codes.spill;
  build.nlist = options.nlist;
  build.list_groups = options.list_groups;
  build.seed = options.seed;
  build.threads = options.threads;
  build.kmeans_iterations = options.kmeans_iterations;
  build.kmeans_points = options.kmeans_points;
  if (ids) build.ids = {ids->data(), ids->shape(0), 1};
  if (centroids) build.centroids = view_of(*centroids);
  if (train_queries) build.train_queries = view_of(*train_queries);
  return build;
}

}  // namespace obliq::python
