// The files of one small set: a model, segments of it and an index, of a few kB each, with
// something of all that such files hold. For tests that damage them byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "index/model_access.h"
#include "index/segment/model_file.h"
#include "obliq/model.h"
#include "tests/index/cases.h"
#include "tests/index/columns/column_cases.h"

namespace obliq::testing {

struct TinySpec {
  const char* quantizer = "sq8";
  Metric metric = Metric::l2;
  RawTier raw = RawTier::none;
  std::size_t groups = 1;  ///< of lists; with more than one, an encoder looks at groups, too
  bool ids = false;        ///< external ones
  std::size_t nlist = 8;
  bool truth = true;     ///< in the second segment; without it there is none in what is merged
  bool columns = false;  ///< one of each type
};

/// Writes into a folder, which it leaves as it is:
///
///     model     of a few lists, with learn queries, trained as if there were 1,000 vectors
///     first     a segment of 30 vectors, half of them spilled, with truth
///     second    a segment of 3 vectors: its list directory is sparse
///     range     both, merged in the middle half of the lists, with foreign rows
///     index     both, merged
class TinyFiles {
 public:
  static constexpr std::size_t kDim = 5;
  static constexpr std::size_t kRows = 33;
  static constexpr std::size_t kFirstRows = 30;

  TinyFiles(std::string folder, const TinySpec& spec);

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::vector<std::string> segments() const { return {path("first"), path("second")}; }
  const Matrix<float>& base() const { return base_; }
  bool has_ids() const { return has_ids_; }

 private:
  void encode(const Model& model, const TinySpec& spec, std::size_t first, std::size_t count,
              const std::string& name) const;

  std::string folder_;
  Matrix<float> base_;
  bool has_ids_;
};

inline TinyFiles::TinyFiles(std::string folder, const TinySpec& spec)
    : folder_(std::move(folder)), base_(clustered(kRows, kDim, 71, 6)), has_ids_(spec.ids) {
  // A tight cluster far away, whose list is a far one (centroid_code.h).
  for (std::size_t i = 2; i < kRows; i += 6) {
    for (std::size_t j = 0; j < kDim; ++j) {
      base_.row(i)[j] = 100 + static_cast<float>(i) / 64 + static_cast<float>(j);
    }
  }
  BuildOptions build;
  build.quantizer = spec.quantizer;
  build.metric = spec.metric;
  build.raw = spec.raw;
  build.spill = .5;
  build.nlist = spec.nlist;
  build.list_groups = spec.groups;
  build.kmeans_points = 4;
  build.threads = 1;
  TrainedModel trained = *ModelAccess::get(Model::train(base_.view(), build, 1000));
  const std::vector<std::uint32_t> near_sizes = {3, 0, static_cast<std::uint32_t>(spec.nlist) - 3};
  if (spec.groups > 1) {  // as models of many lists have
    trained.near_sizes = near_sizes;
    trained.info.near_margin = .5F;
    trained.info.id = model_id(trained);
  }
  save_model(trained, path("model"));
  const Model model = Model::open(path("model"));
  encode(model, spec, 0, kFirstRows, "first");
  encode(model, spec, kFirstRows, kRows - kFirstRows, "second");
  const auto quarter = static_cast<std::uint32_t>(spec.nlist / 4);
  merge(model, segments(), path("range"),
        {.lists = {quarter, 3 * quarter}, .as_segment = true, .threads = 1});
  merge(model, segments(), path("index"), {.threads = 1});
}

inline void TinyFiles::encode(const Model& model, const TinySpec& spec, std::size_t first,
                              std::size_t count, const std::string& name) const {
  Matrix<std::int64_t> ids(count, 1);
  for (std::size_t i = 0; i < count; ++i) {
    ids.values[i] = 50 - 7 * static_cast<std::int64_t>(first + i);
  }
  EncodeOptions options;
  if (spec.ids) {
    options.ids = ids.view();
  } else {
    options.first = first;
  }
  Columns columns;
  if (spec.columns) {
    for (const ColumnValues& column : few_columns(kRows, 72)) {
      columns.push_back(column.slice(first, count));
    }
  }
  options.columns = columns;
  options.truth = first == 0 || spec.truth;
  options.threads = 1;
  model.encode(base_.view().slice(first, count), path(name), options);
}

}  // namespace obliq::testing
