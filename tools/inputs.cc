#include "tools/inputs.h"

#include <algorithm>

namespace obliq::tools {
namespace {

std::string_view told_by(const std::string& file) {
  return datasets::told_format(datasets::locate(file, {}).path);
}

}  // namespace

void Inputs::add_format(CLI::App& app) {
  app.add_option("--format", format_,
                 "Format of input files whose names tell none, or of all where each tells another: "
                 "hdf5 fvecs bvecs ivecs fbin u8bin i8bin f16bin ibin npy; ids (ivecs, ibin) are "
                 "read as vectors only with it");
}

void Inputs::settle(const std::vector<std::string>& files) {
  if (format_.empty()) return;
  if (format_.front() == '.') format_.erase(0, 1);
  (void)datasets::can_hold_ids(format_);
  overrules_ = std::none_of(files.begin(), files.end(), [&](const std::string& file) {
    if (file.empty()) return false;
    const std::string_view told = told_by(file);
    return told.empty() || told == format_;
  });
}

std::string_view Inputs::format_of(const std::string& file) const {
  if (format_.empty()) return {};
  const std::string_view told = told_by(file);
  return overrules_ || told.empty() || told == format_ ? std::string_view(format_)
                                                       : std::string_view();
}

datasets::BenchmarkSet Inputs::read_queries(const std::string& file) const {
  if (is_hdf5(file) && !datasets::locate(file, {}).is_named) {
    return datasets::read_labelled_queries(file);
  }
  datasets::BenchmarkSet set;
  set.test = read(file, "test");
  return set;
}

std::unique_ptr<VectorSource> Inputs::open(const std::string& file,
                                           std::string_view dataset) const {
  return datasets::open_vectors(file, dataset, format_of(file));
}

Matrix<float> Inputs::read(const std::string& file, std::string_view dataset) const {
  return file.empty() ? Matrix<float>() : datasets::read_all(*open(file, dataset));
}

Matrix<std::int64_t> Inputs::read_ids(const std::string& file, std::string_view dataset) const {
  const std::string_view format = format_of(file);
  const bool is_for_ids = !format.empty() && datasets::can_hold_ids(format);
  return datasets::read_ids(file, dataset, is_for_ids ? format : std::string_view());
}

std::string Inputs::learn_neighbors_of(const std::string& file, std::size_t n) const {
  return datasets::learn_neighbors_of(file, format_of(file), n);
}

bool Inputs::is_hdf5(const std::string& file) const {
  return datasets::is_hdf5(file, format_of(file));
}

Metric Inputs::metric(const std::string& flag, const std::string& file) const {
  if (!flag.empty()) return parse_metric(flag);
  return told_metric(file).value_or(Metric::l2);
}

std::optional<Metric> Inputs::told_metric(const std::string& file) const {
  return datasets::told_metric(file, format_of(file));
}

}  // namespace obliq::tools
