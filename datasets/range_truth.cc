#include "datasets/range_truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "datasets/dataset.h"
#include "datasets/element.h"
#include "datasets/flat_format.h"
#include "datasets/hdf5_reader.h"
#include "datasets/hdf5_writer.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kHeaderBytes = 8;

[[noreturn]] void refuse(const std::string& path, std::string_view reason) {
  throw std::runtime_error(fmt::format("{}: {}", path, reason));
}

/// What any such file must hold. lims are known to rise from 0 to the number of ids.
void check_answers(const std::string& path, const RangeAnswers& answers) {
  std::vector<std::int64_t> ids;
  for (std::size_t q = 0; q < answers.queries(); ++q) {
    const auto begin = answers.ids.begin() + static_cast<std::ptrdiff_t>(answers.lims[q]);
    const auto end = answers.ids.begin() + static_cast<std::ptrdiff_t>(answers.lims[q + 1]);
    ids.assign(begin, end);
    std::sort(ids.begin(), ids.end());
    if (!ids.empty() && ids[0] < 0) {
      refuse(path, fmt::format("query {} has the id {}, which is none", q, ids[0]));
    }
    const auto twice = std::adjacent_find(ids.begin(), ids.end());
    if (twice != ids.end()) refuse(path, fmt::format("query {} has id {} twice", q, *twice));
  }
  for (std::size_t i = 0; i < answers.distances.size(); ++i) {
    if (std::isnan(answers.distances[i])) refuse(path, fmt::format("distance {} is NaN", i));
  }
}

/// The dataset of either name; where there is neither, the error names the first.
Hdf5Dataset one_of(const Hdf5Reader& file, const char* name, const char* other) {
  return file.dataset(file.has(name) || !file.has(other) ? name : other);
}

void check_lims(const std::string& path, const std::vector<std::int64_t>& lims,
                std::size_t results) {
  if (lims.empty() || lims[0] != 0 || !std::is_sorted(lims.begin(), lims.end()) ||
      static_cast<std::uint64_t>(lims.back()) != results) {
    refuse(path, fmt::format("'lims' must rise from 0 to the number of ids, {}", results));
  }
}

RangeAnswers read_hdf5_answers(const std::string& path) {
  const Hdf5Reader file(path);
  const auto lims = file.dataset("lims").read_whole();
  RangeAnswers answers;
  answers.ids = one_of(file, "neighbors", "I").read_whole();
  const auto distances = one_of(file, "distances", "D").read_doubles();
  check_lims(path, lims, answers.ids.size());
  if (distances.size() != answers.ids.size()) {
    refuse(path, fmt::format("{} distances for {} ids", distances.size(), answers.ids.size()));
  }
  answers.lims.assign(lims.begin(), lims.end());
  std::transform(distances.begin(), distances.end(), std::back_inserter(answers.distances),
                 [](double distance) { return static_cast<float>(distance); });
  check_answers(path, answers);
  return answers;
}

}  // namespace

RangeAnswers parse_range_truth_bin(const FileBytes& file) {
  const std::size_t queries = read_u32(file, 0);
  const std::size_t results = read_u32(file, 4);
  const std::size_t bytes = file.bytes.size() - kHeaderBytes;
  if (bytes != queries * 4 + results * 8) {
    throw_damaged(file.name, 0,
                  fmt::format("a range truth of {} queries and {} results takes {} bytes behind "
                              "its header, but {} follow",
                              queries, results, queries * 4 + results * 8, bytes));
  }
  RangeAnswers answers;
  answers.lims.assign(1, 0);
  for (std::size_t q = 0; q < queries; ++q) {
    answers.lims.push_back(answers.lims.back() + read_u32(file, kHeaderBytes + 4 * q));
  }
  if (answers.lims.back() != results) {
    throw_damaged(file.name, kHeaderBytes,
                  fmt::format("the counts of {} queries add up to {}, not to the {} results that "
                              "the header tells",
                              queries, answers.lims.back(), results));
  }
  answers.ids.resize(results);
  answers.distances.resize(results);
  const std::uint8_t* ids = file.bytes.data() + kHeaderBytes + 4 * queries;
  to_integers(Element::i32, ids, answers.ids);
  to_floats(Element::f32, ids + 4 * results, answers.distances);
  check_answers(file.name, answers);
  return answers;
}

RangeAnswers read_range_truth(const std::string& path) {
  if (is_hdf5(path)) return read_hdf5_answers(path);
  const MappedFile map(path);
  return parse_range_truth_bin(bytes_of(map));
}

void write_range_answers(const std::string& path, const RangeAnswers& answers) {
  Hdf5Writer file(path);
  file.integers("lims", {answers.lims.begin(), answers.lims.end()});
  file.integers("neighbors", answers.ids);
  file.floats("distances", answers.distances);
  file.commit();
}

}  // namespace obliq::datasets
