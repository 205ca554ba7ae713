// The ann-benchmarks layout inside an open HDF5 file.
#pragma once

#include <string>

#include "datasets/dataset.h"
#include "datasets/hdf5_reader.h"

namespace obliq::datasets {

inline constexpr const char* kLearnQueries = "learn_queries";
/// VIBE's true neighbours of its `learn`: positions in `train`, nearest first.
inline constexpr const char* kLearnNeighbors = "learn_neighbors";

/// The dataset with queries to learn from: `learn_queries`, or VIBE's `learn` where there is none
/// of that name.
std::string learn_dataset(const Hdf5Reader& file);

/// read_set on an open file.
BenchmarkSet read_set(const Hdf5Reader& file, ReadTrain train);

/// How ann-benchmarks names a metric in attribute `distance`.
std::string distance_name(Metric metric);

/// Distances of ours as ann-benchmarks stores them: roots for l2.
Matrix<float> stored_distances(const Matrix<float>& distances, Metric metric);

}  // namespace obliq::datasets
