// Reads arbitrary bytes as a sequence of calls of the C interface: which function, on which
// handles, with what sizes, texts and options. Whatever comes, no call may crash, end the process,
// or write beyond the buffers that it was given; outputs of calls that fail stay as they were.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "obliq/obliq.h"
#include "tests/fuzz/call_bytes.h"
#include "tests/fuzz/collection_calls.h"
#include "tests/fuzz/value_calls.h"

namespace obliq::fuzz {
namespace {

/// What runs begin with, so that not all have to build one before they search.
obliq_index* first_index() {
  static obliq_index* const kIndex = [] {
    std::vector<float> base(kMost * kDim);
    for (std::size_t i = 0; i < base.size(); ++i) base[i] = static_cast<float>(i % 7);
    obliq_build_options options;
    obliq_build_options_init(&options, sizeof options);
    options.raw = OBLIQ_RAW_FP32;
    options.nlist = 3;
    obliq_index* index = nullptr;
    require(obliq_index_build(base.data(), kMost, kDim, &options, &index) == OBLIQ_OK);
    return index;
  }();
  return kIndex;
}

/// A sequence of calls, and the handles that it has made so far.
class Calls {
 public:
  explicit Calls(Bytes bytes) : bytes_(bytes) {}
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;
  ~Calls() {
    obliq_iterator_free(iterator_);
    if (index_ != first_index()) obliq_index_free(index_);
    obliq_model_free(model_);
  }

  void run() {
    for (int calls = 0; calls < 16 && bytes_.has_more(); ++calls) {
      const int which = bytes_.byte() % (ValueCalls::kCalls + 12);
      if (which < ValueCalls::kCalls) {
        values_.call(which);
      } else {
        call(which - ValueCalls::kCalls);
      }
    }
  }

 private:
  void call(int which);
  void build();
  void train();
  void search();
  void search_results();
  void range_search();
  void iterate();
  void reconstruct();
  void tell();

  std::vector<float> numbers(std::size_t n) { return values_.numbers(n); }
  /// Two queries of kDim, in a buffer for those of the highest dim that calls name.
  std::vector<float> queries() {
    auto values = numbers(2 * kDim);
    values.resize(std::size_t{2} * 256);
    return values;
  }
  obliq_search_options search_options();

  Bytes bytes_;
  ValueCalls values_{bytes_};
  CollectionCalls collections_{bytes_, values_};
  obliq_index* index_ = first_index();
  obliq_model* model_ = nullptr;
  obliq_iterator* iterator_ = nullptr;
};

void Calls::call(int which) {
  switch (which) {
    case 0:
      return build();
    case 1:
      return train();
    case 2:
      return search();
    case 3:
      return search_results();
    case 4:
      return range_search();
    case 5:
      return iterate();
    case 6:
      return collections_.make(false);
    case 7:
      return collections_.make(true);
    case 8:
      return collections_.change();
    case 9:
      return collections_.change_keys();
    case 10:
      return reconstruct();
    default:
      return tell();
  }
}

obliq_search_options Calls::search_options() {
  obliq_search_options options;
  obliq_search_options_init(&options, sizeof options);
  const std::uint8_t what = bytes_.byte();
  if ((what & 1U) != 0) options.nprobe = bytes_.size();
  if ((what & 2U) != 0) options.target_recall = static_cast<double>(bytes_.number());
  if ((what & 4U) != 0) options.confidence = bytes_.number();
  if ((what & 8U) != 0) options.filter = values_.filter();
  if ((what & 16U) != 0) options.batch_order = static_cast<std::int8_t>(bytes_.byte());
  if ((what & 32U) != 0) options.explain = 1;
  if ((what & 64U) != 0) options.size = std::min(bytes_.size(), sizeof options);
  options.threads = (what & 128U) != 0 ? static_cast<std::int8_t>(bytes_.byte()) % 3 : 1;
  return options;
}

obliq_build_options build_options(Bytes& bytes, const obliq_columns* columns) {
  obliq_build_options options;
  obliq_build_options_init(&options, sizeof options);
  const std::uint8_t what = bytes.byte();
  static constexpr std::array<const char*, 4> kQuantizers = {"tqp2", "sq8", "lm4", "none"};
  options.quantizer = kQuantizers[what % 4];
  options.metric = what / 4 % 4;
  options.raw = what / 16 % 5 - 1;
  options.nlist = bytes.below(6);
  options.threads = 1;
  options.spill = static_cast<double>(bytes.number()) / 4;
  if (bytes.byte() % 2 == 1) options.columns = columns;
  return options;
}

void Calls::build() {
  const auto options = build_options(bytes_, values_.columns());
  const std::size_t n = bytes_.count();
  const auto base = numbers(n * kDim);
  obliq_index* built = nullptr;
  const obliq_status status = obliq_index_build(base.data(), n, kDim, &options, &built);
  require((status == OBLIQ_OK) == (built != nullptr));
  if (built == nullptr) return;
  obliq_iterator_free(iterator_);
  iterator_ = nullptr;
  if (index_ != first_index()) obliq_index_free(index_);
  index_ = built;
}

void Calls::train() {
  const auto options = build_options(bytes_, values_.columns());
  const std::size_t n = bytes_.count();
  const auto base = numbers(n * kDim);
  obliq_model* made = nullptr;
  (void)obliq_model_train(base.data(), n, kDim, bytes_.count(), &options, &made);
  if (made != nullptr) {
    obliq_model_free(model_);
    model_ = made;
  }
  std::array<std::uint32_t, 8 * kMost> lists{};
  std::size_t columns = 0;
  const auto queries = this->queries();
  (void)obliq_model_route(model_, queries.data(), 2, bytes_.dim(), bytes_.count(), 1, lists.data(),
                          &columns);
}

void Calls::search() {
  auto options = search_options();
  const std::array<std::uint32_t, 6> lists = {0, 1, 2, bytes_.byte(), UINT32_MAX, bytes_.byte()};
  if (bytes_.below(4) == 0) {
    options.lists = lists.data();
    options.list_columns = bytes_.below(4);
  }
  const auto queries = this->queries();
  const std::size_t k = bytes_.count();
  std::vector<float> distances(2 * kMost + 1, kUntouched);
  std::vector<std::int64_t> ids(2 * kMost + 1, kNoAnswer);
  const bool of_index = bytes_.byte() % 2 == 0;
  const std::size_t dim = bytes_.dim();
  const obliq_status status =
      of_index ? obliq_index_search(index_, queries.data(), 2, dim, k, &options, distances.data(),
                                    ids.data())
               : obliq_collection_search(collections_.collection(), queries.data(), 2, dim, k,
                                         &options, distances.data(), ids.data());
  const std::size_t written = status == OBLIQ_OK ? 2 * k : 0;
  for (std::size_t i = written; i < ids.size(); ++i) {
    require(ids[i] == kNoAnswer && distances[i] == kUntouched);
  }
  for (std::size_t i = 0; i < written; ++i) require(ids[i] != kNoAnswer);
  for (std::size_t i = 1; i < k && written > 0; ++i) require(!(distances[i] < distances[i - 1]));
}

void Calls::search_results() {
  auto options = search_options();
  const std::string name = bytes_.text(3);
  const char* names = name.c_str();
  options.columns = &names;
  options.n_columns = bytes_.below(2);
  const auto queries = numbers(kDim);
  obliq_results* results = nullptr;
  const std::array<obliq_collection*, 2> collections = {collections_.collection(),
                                                        collections_.keyed()};
  const std::size_t which = bytes_.below(3);
  std::size_t k = bytes_.size();
  if (k > kMost) k = SIZE_MAX / 3;  // refused; what is less takes memory that there may be
  const obliq_status status =
      which == 2
          ? obliq_index_search_results(index_, queries.data(), 1, kDim, k, &options, &results)
          : obliq_collection_search_results(collections[which], queries.data(), 1, kDim, k,
                                            &options, &results);
  require((status == OBLIQ_OK) == (results != nullptr));
  obliq_search_explanation explanation;
  explanation.size = sizeof explanation;
  (void)obliq_results_explain(results, bytes_.below(2), &explanation);
  std::size_t size = 0;
  const char* key = obliq_results_key(results, 0, bytes_.size(), &size);
  require(key == nullptr || std::strlen(key) == size);
  obliq_results_free(results);
}

void Calls::range_search() {
  obliq_range_options options;
  obliq_range_options_init(&options, sizeof options);
  options.threads = 1;
  options.confidence = bytes_.number();
  options.exact = bytes_.below(2) != 0 ? 1 : 0;
  options.max_results = bytes_.size();
  if (bytes_.below(2) == 1) options.filter = values_.filter();
  const auto queries = numbers(kDim);
  const float radius = bytes_.number();
  obliq_range_results* found = nullptr;
  const std::array<obliq_collection*, 2> collections = {collections_.collection(),
                                                        collections_.keyed()};
  const std::size_t which = bytes_.below(3);
  if (which == 2) {
    (void)obliq_index_range_search(index_, queries.data(), 1, kDim, radius, &options, &found);
  } else {
    (void)obliq_collection_range_search(collections[which], queries.data(), 1, kDim, radius,
                                        &options, &found);
  }
  const std::size_t total = obliq_range_results_total(found);
  for (std::size_t i = 0; i < total; ++i) {
    require(obliq_range_results_distances(found)[i] < radius);
  }
  require(total == 0 || obliq_range_results_lims(found)[1] == total);
  obliq_range_results_free(found);
}

void Calls::iterate() {
  if (iterator_ == nullptr) {
    const auto options = search_options();
    const auto query = numbers(kDim);
    (void)(bytes_.below(2) == 0
               ? obliq_index_iterator(index_, query.data(), kDim, &options, &iterator_)
               : obliq_collection_iterator(collections_.collection(), query.data(), kDim, &options,
                                           &iterator_));
  }
  std::array<float, kMost> distances{};
  std::array<std::int64_t, kMost> ids{};
  std::size_t count = 0;
  const std::size_t k = bytes_.count();
  (void)obliq_iterator_next(iterator_, k, distances.data(), ids.data(), &count);
  require(count <= k);
}

void Calls::reconstruct() {
  const auto some = values_.ids();
  std::vector<float> out(kMost * kDim + 1, kUntouched);
  const std::size_t n = bytes_.count();
  const bool of_index = bytes_.below(2) == 0;
  const obliq_status status =
      of_index ? obliq_index_reconstruct(index_, some.data(), n, kDim, out.data())
               : obliq_collection_get(collections_.collection(), some.data(), n, kDim, out.data());
  if (status != OBLIQ_OK) require(out.front() == kUntouched);
  require(out[n * kDim] == kUntouched);
  obliq_columns* got = nullptr;
  (void)(of_index ? obliq_index_get_columns(index_, some.data(), n, nullptr, 0, &got)
                  : obliq_collection_get_columns(collections_.collection(), some.data(), n, nullptr,
                                                 0, &got));
  obliq_columns_free(got);
}

void Calls::tell() {
  std::array<char, 64> text{};
  text.fill('#');
  const std::size_t capacity = bytes_.below(60);
  std::size_t needed = 0;
  const obliq_status status =
      bytes_.below(2) == 0
          ? obliq_index_quantizer(index_, text.data(), capacity, &needed)
          : obliq_collection_prometheus(collections_.collection(), text.data(), capacity, &needed);
  if (status == OBLIQ_OK) require(std::strlen(text.data()) + 1 == needed);
  require(std::all_of(text.begin() + static_cast<std::ptrdiff_t>(capacity), text.end(),
                      [](char letter) { return letter == '#'; }));
  obliq_index_stats stats;
  stats.size = bytes_.below(2) == 0 ? sizeof stats : std::min(bytes_.size(), sizeof stats);
  (void)obliq_index_get_stats(index_, &stats);
  obliq_collection_stats all;
  all.size = sizeof all;
  (void)obliq_collection_get_stats(collections_.keyed(), &all);
}

}  // namespace
}  // namespace obliq::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  obliq::fuzz::Calls(obliq::fuzz::Bytes(data, size)).run();
  return 0;
}
