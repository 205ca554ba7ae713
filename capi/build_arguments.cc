#include "capi/build_arguments.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"

namespace obliq::capi {
namespace {

obliq_build_options build_defaults() {
  const BuildOptions defaults;
  obliq_build_options options = {};
  options.size = sizeof options;
  options.raw = OBLIQ_RAW_UNSET;
  options.spill = -1;
  options.seed = defaults.seed;
  options.kmeans_iterations = defaults.kmeans_iterations;
  options.kmeans_points = defaults.kmeans_points;
  options.tune = 1;
  return options;
}

std::optional<RawTier> raw_of(obliq_raw_tier raw) {
  require_enum(raw, OBLIQ_RAW_UNSET, OBLIQ_RAW_FP32, "raw");
  if (raw == OBLIQ_RAW_UNSET) return {};
  return static_cast<RawTier>(raw);
}

}  // namespace

Codes codes_of(const char* preset, const char* quantizer, obliq_raw_tier raw, double spill) {
  const Preset chosen = choose_codes(optional_text(preset), optional_text(quantizer), raw_of(raw),
                                     spill < 0 ? std::nullopt : std::optional<double>(spill));
  return {std::string(chosen.quantizer), chosen.raw, chosen.spill};
}

Metric metric_of(obliq_metric metric) {
  require_enum(metric, OBLIQ_L2, OBLIQ_COSINE, "metric");
  return static_cast<Metric>(metric);
}

BuildOptions build_options_of(const obliq_build_options* given, std::size_t n, std::size_t dim) {
  obliq_build_options read = build_defaults();
  read_options(given, read, "build options");
  BuildOptions options;
  options.metric = metric_of(read.metric);
  const Codes codes = codes_of(read.preset, read.quantizer, read.raw, read.spill);
  options.quantizer = codes.quantizer;
  options.raw = codes.raw;
  options.spill = codes.spill;
  options.nlist = read.nlist;
  options.list_groups = read.list_groups;
  options.seed = read.seed;
  options.threads = read.threads;
  options.kmeans_iterations = read.kmeans_iterations;
  options.kmeans_points = read.kmeans_points;
  if (read.n_centroids != 0) {
    options.centroids = matrix_of(read.centroids, read.n_centroids, dim, "centroids");
  }
  if (read.n_train_queries != 0) {
    options.train_queries =
        matrix_of(read.train_queries, read.n_train_queries, dim, "train_queries");
  }
  if (read.ids != nullptr) options.ids = matrix_of(read.ids, n, 1, "ids");
  if (read.columns != nullptr) options.columns = read.columns->columns;
  options.tune = read.tune != 0;
  options.max_memory = read.max_memory;
  options.progress = progress_of(read.progress, read.progress_user);
  return options;
}

OpenOptions open_options_of(const obliq_open_options* given) {
  obliq_open_options read = {};
  read_options(given, read, "open options");
  return {.residence = read.in_memory != 0 ? Residence::memory : Residence::mapped,
          .verify = read.verify != 0};
}

CallbackSource::CallbackSource(const obliq_vector_source* given) : source_{} {
  required(given, "source");
  read_options(given, source_, "source");
  required(source_.read, "source.read");
  area_of(area_of(source_.rows, source_.dim, "source"), sizeof(float), "source");
}

void CallbackSource::read(std::size_t first, std::size_t count, float* out) const {
  const int status = source_.read(source_.user, first, count, out);
  if (status == 0) return;
  if (status == OBLIQ_CANCELLED) throw Cancelled();
  throw StatusError(OBLIQ_SYSTEM, fmt::format("source.read returned {} for the vectors {} to {}",
                                              status, first, first + count));
}

}  // namespace obliq::capi

void obliq_build_options_init(obliq_build_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::build_defaults());
}

void obliq_open_options_init(obliq_open_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq_open_options{sizeof(obliq_open_options), 0, 0});
}

const char* obliq_preset_name(size_t i) {
  const auto presets = obliq::presets();
  // Each is a literal, which ends with a zero.
  return i < presets.size() ? presets[i].name.data() : nullptr;
}
