// Options of searches, as a caller gives them, for the library; and its answers for the caller.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "capi/handles.h"
#include "obliq/c/results.h"
#include "obliq/index.h"
#include "obliq/range_search.h"

namespace obliq::capi {

/// What a call of a search is to answer with.
enum class Answer { buffers, results };

/// SearchOptions and what they view. Stays where it is made.
class SearchArguments {
 public:
  /// For n queries. Throws std::invalid_argument on options that are out of range, or that do not
  /// fit the answer.
  SearchArguments(const obliq_search_options* given, std::size_t n, std::size_t k, Answer answer);
  SearchArguments(const SearchArguments&) = delete;
  SearchArguments& operator=(const SearchArguments&) = delete;

  const SearchOptions& options() const { return options_; }
  /// What was explained, where that was asked for.
  std::vector<SearchExplanation>& explanations() { return explanations_; }

 private:
  SearchOptions options_;
  std::vector<std::string> columns_;
  std::vector<SearchExplanation> explanations_;
};

/// The same of a range search.
class RangeArguments {
 public:
  explicit RangeArguments(const obliq_range_options* given);
  RangeArguments(const RangeArguments&) = delete;
  RangeArguments& operator=(const RangeArguments&) = delete;

  const RangeSearchOptions& options() const { return options_; }

 private:
  RangeSearchOptions options_;
  std::vector<std::string> columns_;
};

/// Throws std::invalid_argument where k answers of n queries are more than memory can hold.
void require_room(std::size_t n, std::size_t k);

/// The same, and where distances or ids, [n][k], are NULL.
void require_answers(std::size_t n, std::size_t k, const float* distances, const std::int64_t* ids);

}  // namespace obliq::capi
