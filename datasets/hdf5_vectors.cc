// HDF5 datasets as vectors and ids.
#include <fmt/format.h>

#include <stdexcept>

#include "datasets/formats.h"
#include "datasets/hdf5_reader.h"
#include "datasets/hdf5_set.h"
#include "datasets/hdf5_writer.h"

namespace obliq::datasets {
namespace {

// VIBE calls queries to learn from "learn".
std::string dataset_of(const Hdf5Reader& file, const Location& location) {
  return location.is_named || location.dataset != kLearnQueries ? location.dataset
                                                                : learn_dataset(file);
}

class Hdf5Vectors final : public VectorSource {
 public:
  explicit Hdf5Vectors(const Location& location)
      : file_(location.path), dataset_(file_.dataset(dataset_of(file_, location))) {
    dataset_.require_matrix();
    if (dataset_.cols() == 0) {
      throw std::runtime_error(
          fmt::format("{}: dataset '{}': dim is 0", location.path, location.dataset));
    }
  }
  std::size_t rows() const override { return dataset_.rows(); }
  std::size_t dim() const override { return dataset_.cols(); }
  void read(std::size_t first, std::size_t count, float* out) const override {
    dataset_.read(first, count, out);
  }

 private:
  Hdf5Reader file_;
  Hdf5Dataset dataset_;
};

}  // namespace

std::unique_ptr<VectorSource> open_hdf5(const Location& location) {
  return std::make_unique<Hdf5Vectors>(location);
}

Matrix<std::int64_t> read_hdf5_ids(const Location& location) {
  return Hdf5Reader(location.path).dataset(location.dataset).read_integers();
}

void write_hdf5(const std::string& path, const VectorSource& source, const Progress& progress) {
  Hdf5Writer file(path, progress);
  file.vectors("train", source, Stored::float32);
  file.commit();
}

void write_hdf5_ids(const std::string& path, MatrixView<std::int64_t> ids) {
  Hdf5Writer file(path);
  file.integers("neighbors", ids);
  file.commit();
}

}  // namespace obliq::datasets
