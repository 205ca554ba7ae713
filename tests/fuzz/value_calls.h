// Calls of the C interface about values: columns, params, filters, quantizers, merged answers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "obliq/obliq.h"
#include "tests/fuzz/call_bytes.h"

namespace obliq::fuzz {

/// The handles that such calls have made so far.
class ValueCalls {
 public:
  explicit ValueCalls(Bytes& bytes) : bytes_(bytes) {}
  ValueCalls(const ValueCalls&) = delete;
  ValueCalls& operator=(const ValueCalls&) = delete;
  ~ValueCalls() {
    obliq_quantizer_free(quantizer_);
    obliq_filter_free(filter_);
    obliq_params_free(params_);
    obliq_columns_free(columns_);
  }

  static constexpr int kCalls = 9;
  void call(int which);

  const obliq_filter* filter() const { return filter_; }
  const obliq_columns* columns() const { return columns_; }

  std::vector<float> numbers(std::size_t n) {
    std::vector<float> values(n);
    for (float& value : values) value = bytes_.number();
    return values;
  }
  std::array<std::int64_t, kMost> ids() {
    std::array<std::int64_t, kMost> ids{};
    for (std::size_t i = 0, n = bytes_.count(); i < ids.size(); ++i) {
      ids[i] = i < n ? bytes_.id() : static_cast<std::int64_t>(i);
    }
    return ids;
  }

 private:
  void make_columns();
  void add_column();
  void append();
  void make_params();
  void make_quantizer();
  void use_quantizer();
  void make_filter();
  void read_columns();
  void merge_answers();

  Bytes& bytes_;
  obliq_quantizer* quantizer_ = nullptr;
  obliq_filter* filter_ = nullptr;
  obliq_params* params_ = nullptr;
  obliq_columns* columns_ = nullptr;
};

inline void ValueCalls::call(int which) {
  switch (which) {
    case 0:
      return make_columns();
    case 1:
      return add_column();
    case 2:
      return append();
    case 3:
      return make_params();
    case 4:
      return make_quantizer();
    case 5:
      return use_quantizer();
    case 6:
      return make_filter();
    case 7:
      return read_columns();
    default:
      return merge_answers();
  }
}

inline void ValueCalls::make_columns() {
  obliq_columns_free(columns_);
  columns_ = nullptr;
  require(obliq_columns_create(&columns_) == OBLIQ_OK);
}

inline void ValueCalls::add_column() {
  const std::string name = bytes_.text(3);
  (void)obliq_columns_add(columns_, name.c_str(), static_cast<std::int32_t>(bytes_.below(9)) - 1);
  std::size_t column = 0;
  if (obliq_columns_find(columns_, name.c_str(), &column) == OBLIQ_OK) {
    require(std::strcmp(name.c_str(), obliq_columns_name(columns_, column)) == 0);
  }
}

inline void ValueCalls::append() {
  const std::size_t column = bytes_.below(4);
  const std::size_t n = bytes_.count();
  const std::string text = bytes_.text(6);
  const std::array<const char*, 2> texts = {text.c_str(), n % 2 == 0 ? nullptr : "b"};
  const std::array<std::size_t, 2> sizes = {bytes_.below(text.size() + 1), n % 2};
  const auto integers = ids();
  std::array<double, kMost> doubles{};
  for (double& value : doubles) value = static_cast<double>(integers[0]) / 8;
  doubles[0] = static_cast<double>(bytes_.number());
  const auto* valid = reinterpret_cast<const std::uint8_t*>(integers.data());
  switch (bytes_.below(5)) {
    case 0:
      (void)obliq_columns_append_int64(columns_, column, integers.data(), valid, n);
      break;
    case 1:
      (void)obliq_columns_append_double(columns_, column, doubles.data(), nullptr, n);
      break;
    case 2:
      (void)obliq_columns_append_text(columns_, column, texts.data(),
                                      n > 9 ? sizes.data() : nullptr, n % 3);
      break;
    case 3:
      (void)obliq_columns_append_keywords(columns_, column, texts.data(), sizes.data(), n % 3);
      break;
    default:
      (void)obliq_columns_append_null(columns_, column, n);
      break;
  }
}

inline void ValueCalls::make_params() {
  if (params_ == nullptr || bytes_.below(4) == 0) {
    obliq_params_free(params_);
    params_ = nullptr;
    require(obliq_params_create(&params_) == OBLIQ_OK);
  }
  const auto some = ids();
  const std::string text = bytes_.text(5);
  const char* texts = text.c_str();
  const std::array<double, 2> doubles = {static_cast<double>(bytes_.number()), 0.5};
  switch (bytes_.below(8)) {
    case 0:
      (void)obliq_params_add_bool(params_, static_cast<int>(bytes_.below(3)));
      break;
    case 1:
      (void)obliq_params_add_int64(params_, bytes_.id());
      break;
    case 2:
      (void)obliq_params_add_double(params_, doubles[0]);
      break;
    case 3:
      (void)obliq_params_add_text(params_, text.data(), text.size());
      break;
    case 4:
      (void)obliq_params_add_int64_list(params_, some.data(), bytes_.count());
      break;
    case 5:
      (void)obliq_params_add_double_list(params_, doubles.data(), bytes_.below(3));
      break;
    case 6:
      (void)obliq_params_add_text_list(params_, &texts, nullptr, 1);
      break;
    default:
      break;
  }
}

inline void ValueCalls::make_quantizer() {
  const std::string spec = bytes_.below(2) == 0 ? "lm2" : bytes_.text(6);
  const std::string state = bytes_.text(20);
  obliq_quantizer* made = nullptr;
  (void)obliq_quantizer_create(spec.c_str(), bytes_.below(kMost), bytes_.byte(),
                               reinterpret_cast<const std::uint8_t*>(state.data()), state.size(),
                               &made);
  if (made == nullptr) return;
  obliq_quantizer_free(quantizer_);
  quantizer_ = made;
}

inline void ValueCalls::use_quantizer() {
  obliq_quantizer_layout layout;
  layout.size = sizeof layout;
  if (obliq_quantizer_get_layout(quantizer_, &layout) != OBLIQ_OK) return;
  const auto x = numbers(2 * layout.dim);
  std::vector<std::uint8_t> codes(2 * layout.code_bytes + 1, 0xAB);
  std::vector<float> factors(2 * layout.factors + 1, 1);
  (void)obliq_quantizer_encode(quantizer_, x.data(), 2, layout.dim, 1, codes.data(),
                               factors.data());
  require(codes.back() == 0xAB && factors.back() == 1);
  for (std::size_t i = 0; i < 2 * layout.code_bytes; i += 1 + bytes_.byte()) {
    codes[i] = bytes_.byte();
  }
  std::vector<float> out(2 * layout.dim + 4);
  (void)obliq_quantizer_decode(quantizer_, codes.data(), factors.data(), 2, 1, out.data());
  (void)obliq_quantizer_estimate(quantizer_, codes.data(), factors.data(), 2, x.data(), 2,
                                 layout.dim, 1, out.data());
}

inline void ValueCalls::make_filter() {
  const auto some = ids();
  obliq_filter* made = nullptr;
  const std::string text = bytes_.text(40);
  const char* texts = text.c_str();
  const std::size_t size = bytes_.below(text.size() + 1);
  const std::array<const obliq_filter*, 2> both = {filter_, filter_};
  switch (bytes_.below(7)) {
    case 0:
      (void)obliq_filter_where(text.c_str(), params_, &made);
      break;
    case 1:
      (void)obliq_filter_allow(some.data(), bytes_.count(), &made);
      break;
    case 2:
      (void)obliq_filter_deny(some.data(), bytes_.count(), &made);
      break;
    case 3:
      (void)obliq_filter_allow_keys(&texts, &size, 1, &made);
      break;
    case 4:
      (void)obliq_filter_deny_keys(&texts, nullptr, 1, &made);
      break;
    case 5:
      (void)obliq_filter_positions(reinterpret_cast<const std::uint8_t*>(some.data()),
                                   bytes_.count(), &made);
      break;
    default:
      (void)obliq_filter_all_of(both.data(), bytes_.below(3), &made);
      break;
  }
  if (made == nullptr) return;
  obliq_filter_free(filter_);
  filter_ = made;
}

inline void ValueCalls::read_columns() {
  const std::size_t column = bytes_.below(4);
  const std::size_t first = bytes_.size();
  std::array<std::int64_t, kMost> integers{};
  std::array<double, kMost> doubles{};
  std::array<std::uint8_t, kMost> valid{};
  std::array<const char*, kMost> texts{};
  std::array<std::size_t, kMost> sizes{};
  const char* text = nullptr;
  std::size_t size = 0;
  const std::size_t n = bytes_.count();
  (void)obliq_columns_get_int64(columns_, column, first, n, integers.data(), valid.data());
  (void)obliq_columns_get_double(columns_, column, first, n, doubles.data(), nullptr);
  if (obliq_columns_get_text(columns_, column, first, &text, &size) == OBLIQ_OK && size > 0) {
    require(std::string(text, size).size() == size);
  }
  (void)obliq_columns_get_keywords(columns_, column, first, texts.data(), sizes.data(), n, &size,
                                   valid.data());
  require(obliq_columns_rows(columns_, column) == 0 || obliq_columns_name(columns_, column));
}

inline void ValueCalls::merge_answers() {
  const auto distances = numbers(kMost);
  const auto some = ids();
  const std::array<const float*, 2> near = {distances.data(), distances.data() + 4};
  const std::array<const std::int64_t*, 2> names = {some.data(), some.data() + 4};
  const std::array<std::size_t, 2> ks = {bytes_.below(9), bytes_.below(9)};
  std::vector<float> out(2 * kMost + 1, kUntouched);
  std::vector<std::int64_t> out_ids(2 * kMost + 1, kNoAnswer);
  const std::size_t k = bytes_.count();
  (void)obliq_merge_topk(near.data(), names.data(), ks.data(), bytes_.below(3), 2, k, out.data(),
                         out_ids.data());
  require(out[2 * k] == kUntouched && out_ids[2 * k] == kNoAnswer);
}

}  // namespace obliq::fuzz
