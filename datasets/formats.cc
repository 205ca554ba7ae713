// The transform: a suffix chooses the row of the table, the row does the work.
#include "datasets/formats.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "datasets/dataset.h"

namespace obliq::datasets {
namespace {

constexpr std::array kFormats{
    Format{".hdf5", nullptr, Element::f32, Element::i64},
    Format{".h5", nullptr, Element::f32, Element::i64},
    Format{".fvecs", &kTexmex, Element::f32, std::nullopt},
    Format{".bvecs", &kTexmex, Element::u8, std::nullopt},
    Format{".ivecs", &kTexmex, Element::i32, Element::i32},
    Format{".f16bin", &kBigAnn, Element::f16, std::nullopt},
    Format{".fbin", &kBigAnn, Element::f32, std::nullopt},
    Format{".u8bin", &kBigAnn, Element::u8, std::nullopt},
    Format{".i8bin", &kBigAnn, Element::i8, std::nullopt},
    Format{".ibin", &kBigAnn, Element::i32, Element::i32},
    Format{".npy", &kNpy, Element::f32, Element::i64},
};

const Format* find_format(std::string_view path) {
  for (const Format& format : kFormats) {
    if (path.ends_with(format.suffix)) return &format;
  }
  return nullptr;
}

// "set.hdf5:test" -> {"set.hdf5", "test"}. A colon elsewhere is part of the path.
Location locate(const std::string& spec, std::string_view default_dataset) {
  const auto colon = spec.rfind(':');
  if (colon != std::string::npos && find_format(spec) == nullptr) {
    return {spec.substr(0, colon), spec.substr(colon + 1)};
  }
  return {spec, std::string(default_dataset)};
}

const Format& written_format(const std::string& path, const WriteOptions& options) {
  return format_of(options.format.empty() ? std::string_view(path) : options.format);
}

}  // namespace

const Format& format_of(std::string_view path) {
  if (const Format* format = find_format(path)) return *format;
  std::string valid;
  for (const Format& format : kFormats) valid += fmt::format(" {}", format.suffix);
  throw std::invalid_argument(fmt::format("{}: unknown format; valid suffixes:{}", path, valid));
}

bool names_vectors(std::string_view path) { return find_format(path) != nullptr; }

void require_vector_suffix(std::string_view path) { (void)format_of(path); }

std::unique_ptr<VectorSource> open_vectors(const std::string& spec,
                                           std::string_view default_dataset) {
  const Location location = locate(spec, default_dataset);
  const Format& format = format_of(location.path);
  return format.flat == nullptr ? open_hdf5(location)
                                : open_flat(location.path, *format.flat, format.vectors);
}

Matrix<float> read_all(const VectorSource& source) {
  Matrix<float> all(source.rows(), source.dim());
  source.read(0, source.rows(), all.values.data());
  return all;
}

Matrix<std::int64_t> read_ids(const std::string& spec, std::string_view default_dataset) {
  const Location location = locate(spec, default_dataset);
  const Format& format = format_of(location.path);
  return format.flat == nullptr ? read_hdf5_ids(location)
                                : read_flat_ids(location.path, *format.flat, format.vectors);
}

void write_vectors(const std::string& path, const VectorSource& source,
                   const WriteOptions& options) {
  const Format& format = written_format(path, options);
  if (format.flat == nullptr) {
    write_hdf5(path, source, options.progress);
  } else {
    write_flat(path, source, *format.flat, format.vectors, options.progress);
  }
}

void write_ids(const std::string& path, MatrixView<std::int64_t> ids, const WriteOptions& options) {
  const Format& format = written_format(path, options);
  if (!format.ids) {
    throw std::invalid_argument(fmt::format(
        "{}: {} files hold no ids; use .ivecs, .ibin, .npy or .hdf5", path, format.suffix));
  }
  if (format.flat == nullptr) {
    write_hdf5_ids(path, ids);
  } else {
    write_flat_ids(path, ids, *format.flat, *format.ids);
  }
}

}  // namespace obliq::datasets
