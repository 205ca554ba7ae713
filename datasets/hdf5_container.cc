// What both readers of HDF5 files check.
#include "datasets/hdf5_container.h"

#include <stdexcept>

namespace obliq::datasets {
namespace {

// deflate shrinks at most by 1032; what claims to be much smaller than this does not hold data.
constexpr std::uint64_t kMostCompression = 1100;

}  // namespace

void set_shape(StoredDataset& dataset, const std::vector<std::uint64_t>& dims,
               const StoredType& type, std::uint64_t present, bool packed) {
  const auto fail = [&](const std::string& reason) {
    throw std::runtime_error(fmt::format("{}: {}", dataset.file->bytes.name, reason));
  };
  if (dims.empty() || dims.size() > 2) {
    fail(fmt::format("has {} dimensions, not 1 or 2", dims.size()));
  }
  dataset.rank = static_cast<int>(dims.size());
  dataset.rows = dims[0];
  dataset.cols = dims.size() == 2 ? dims[1] : 1;
  dataset.type = type;
  std::size_t bytes = 0;
  std::size_t in_memory = 0;
  if (!multiply(dataset.rows, dataset.cols, bytes) || !multiply(bytes, type.width, bytes) ||
      !multiply(bytes, sizeof(double), in_memory)) {
    fail(fmt::format("{} x {} values do not fit memory", dataset.rows, dataset.cols));
  }
  if (bytes > present * (packed ? kMostCompression : 1)) {
    fail(fmt::format("claims {} bytes of values, but {} bytes are stored", bytes, present));
  }
}

std::string trimmed(const std::uint8_t* bytes, const StoredType& type) {
  const auto* text = reinterpret_cast<const char*>(bytes);
  std::string value(text, ::strnlen(text, type.width));
  if (type.space_padded) value.erase(value.find_last_not_of(' ') + 1);
  return value;
}

}  // namespace obliq::datasets
