// The transform: a suffix chooses the row of the table, the row does the work.
#include "datasets/formats.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <stdexcept>

#include "datasets/big_ann.h"
#include "datasets/dataset.h"

namespace obliq::datasets {
namespace {

constexpr std::array kFormats{
    Format{".hdf5", nullptr, Element::f32, Element::i64},
    Format{".h5", nullptr, Element::f32, Element::i64},
    Format{".fvecs", &kTexmex, Element::f32, std::nullopt},
    Format{".bvecs", &kTexmex, Element::u8, std::nullopt},
    Format{".ivecs", &kTexmex, Element::i32, Element::i32, true},
    Format{".f16bin", &kBigAnn, Element::f16, std::nullopt},
    Format{".fbin", &kBigAnn, Element::f32, std::nullopt},
    Format{".u8bin", &kBigAnn, Element::u8, std::nullopt},
    Format{".i8bin", &kBigAnn, Element::i8, std::nullopt},
    Format{".ibin", &kBigAnn, Element::i32, Element::i32, true},
    Format{".npy", &kNpy, Element::f32, Element::i64},
};

const Format* find_format(std::string_view path) {
  path = cropped_name(path).whole;
  for (const Format& format : kFormats) {
    if (path.ends_with(format.suffix)) return &format;
  }
  return nullptr;
}

std::string suffixes() {
  std::string valid;
  for (const Format& format : kFormats) valid += fmt::format(" {}", format.suffix);
  return valid;
}

// "fbin" or ".fbin".
const Format& format_named(std::string_view name) {
  for (const Format& format : kFormats) {
    if (name == format.suffix || name == format.suffix.substr(1)) return format;
  }
  throw std::invalid_argument(fmt::format("'{}' is no format; valid:{}", name, suffixes()));
}

// For outputs.
const Format& format_of(std::string_view path) {
  if (const Format* format = find_format(path)) return *format;
  throw std::invalid_argument(
      fmt::format("{}: unknown format; valid suffixes:{}", path, suffixes()));
}

const Format& read_format(std::string_view path, std::string_view name) {
  if (!name.empty()) return format_named(name);
  if (const Format* format = find_format(path)) return *format;
  throw std::invalid_argument(fmt::format(
      "{}: unknown format; valid suffixes:{}; for another name give --format fbin or the like",
      path, suffixes()));
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return std::filesystem::exists(status) && !std::filesystem::is_directory(status);
}

void require_no_dataset(const Location& location, const Format& format) {
  if (!location.is_named) return;
  throw std::invalid_argument(
      fmt::format("{}: a {} file is one array, without datasets: leave out "
                  "':{}'",
                  location.path, format.suffix, location.dataset));
}

const Format& written_format(const std::string& path, const WriteOptions& options) {
  return options.format.empty() ? format_of(path) : format_named(options.format);
}

}  // namespace

CroppedName cropped_name(std::string_view path) {
  constexpr std::string_view kMark = ".crop_nb_";
  const std::size_t at = path.rfind(kMark);
  if (at == std::string_view::npos) return {path, std::nullopt};
  const std::string_view digits = path.substr(at + kMark.size());
  std::size_t rows = 0;
  const char* end = digits.data() + digits.size();
  const auto result = std::from_chars(digits.data(), end, rows);
  if (result.ec != std::errc() || result.ptr != end) return {path, std::nullopt};
  return {path.substr(0, at), rows};
}

// A colon may be part of a path or of the name of a dataset: what there is decides. Where there is
// no such file, the suffix does, for the error.
Location locate(const std::string& spec, std::string_view default_dataset) {
  if (spec.empty()) throw std::invalid_argument("the name of a file of vectors is empty");
  Location whole{spec, std::string(default_dataset)};
  if (is_file(spec)) return whole;
  for (bool exists : {true, false}) {
    for (auto at = spec.rfind(':'); at != std::string::npos && at > 0;
         at = spec.rfind(':', at - 1)) {
      const std::string path = spec.substr(0, at);
      if (exists ? !is_file(path) : find_format(path) == nullptr) continue;
      if (at + 1 == spec.size()) {
        throw std::invalid_argument(
            fmt::format("'{}' names no dataset behind its colon: FILE:DATASET", spec));
      }
      return {path, spec.substr(at + 1), true};
    }
    if (find_format(spec) != nullptr) break;
  }
  return whole;
}

bool is_hdf5(const std::string& spec, std::string_view format) {
  const std::string path = locate(spec, {}).path;
  const Format* found = format.empty() ? find_format(path) : &format_named(format);
  return found != nullptr && found->flat == nullptr;
}

bool can_hold_ids(std::string_view format) { return format_named(format).ids.has_value(); }

std::string_view told_format(std::string_view path) {
  const Format* format = find_format(path);
  return format == nullptr ? std::string_view() : format->suffix.substr(1);
}

bool names_vectors(std::string_view path) { return find_format(path) != nullptr; }

void require_vector_suffix(std::string_view path) { (void)format_of(path); }

std::unique_ptr<VectorSource> open_vectors(const std::string& spec,
                                           std::string_view default_dataset,
                                           std::string_view name) {
  const Location location = locate(spec, default_dataset);
  const Format& format = read_format(location.path, name);
  if (format.flat == nullptr) return open_hdf5(location);
  require_no_dataset(location, format);
  if (format.is_for_ids && name.empty()) {
    throw std::invalid_argument(fmt::format(
        "{}: a {} file holds ids of neighbours, not vectors: 'convert --ids' copies ids, --format "
        "{} reads them as vectors",
        location.path, format.suffix, format.suffix.substr(1)));
  }
  return open_flat(location.path, *format.flat, format.vectors);
}

Matrix<float> read_all(const VectorSource& source) {
  Matrix<float> all(source.rows(), source.dim());
  source.read(0, source.rows(), all.values.data());
  return all;
}

Matrix<std::int64_t> read_ids(const std::string& spec, std::string_view default_dataset,
                              std::string_view name) {
  const Location location = locate(spec, default_dataset);
  const Format* told = name.empty() ? find_format(location.path) : &format_named(name);
  const bool has_size = told == nullptr && is_file(location.path) && has_truth_size(location.path);
  const Format& format = has_size ? format_named("ibin") : read_format(location.path, name);
  if (format.flat == nullptr) return read_hdf5_ids(location);
  require_no_dataset(location, format);
  if (format.flat == &kBigAnn && format.is_for_ids) return read_truth_bin(location.path).ids;
  return read_flat_ids(location.path, *format.flat, format.vectors);
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
