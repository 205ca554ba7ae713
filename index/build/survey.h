// What a search expects of vectors that it has not seen: statistics of some of the sample's.
#pragma once

#include <cstdint>
#include <vector>

#include "index/build/build_plan.h"
#include "index/build/nearest_rows.h"
#include "index/build/spill.h"
#include "index/segment/trained_model.h"
#include "obliq/matrix_view.h"

namespace obliq {

struct Survey {
  Matrix<float> rows;               ///< some of the first of the sample, after the transform
  std::vector<ListChoice> choices;  ///< of more of them
  std::vector<float> mean_r2;       ///< of each list; that of all where it has few of the rows
  float all_mean_r2 = 0;
  float typical_norm = 1;     ///< root mean square |x|
  float spill_threshold = 0;  ///< of the loss (spill.h)
};

/// The mean |r|^2 of each list by few rows, for what is decided before centroids are coded.
std::vector<float> rough_mean_r2(const BuildPlan& plan, const VectorSource& sample,
                                 const Matrix<float>& centroids);

/// Of the beginning of `sample` and the centroids as decoded, among which an encoder looks by
/// `search`, by the plan's share of spilled vectors.
Survey survey_sample(const BuildPlan& plan, const VectorSource& sample,
                     const Matrix<float>& centroids, const NearestRows& search);

/// Sets sine and row_tangent of the model, by the codes of some of the rows.
void measure_angles(const Survey& survey, MatrixView<float> centroids, TrainedModel& model);

}  // namespace obliq
