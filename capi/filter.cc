// Filters and the values that are bound in them.
#include "obliq/c/filter.h"

#include <utility>

#include "capi/arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"

namespace obliq::capi {
namespace {

template <typename T>
obliq_status add_param(obliq_params* params, T value) {
  return guard([&] { required(params, "params").values.emplace_back(std::move(value)); });
}

template <typename T>
obliq_status add_list(obliq_params* params, const T* values, std::size_t n) {
  return guard([&] {
    const auto list = values_of(values, n, "values");
    required(params, "params").values.emplace_back(std::vector<T>(list.begin(), list.end()));
  });
}

template <typename Make>
obliq_status make_filter(obliq_filter** out, const Make& make) {
  return guard([&] {
    required(out, "out");
    give(out, make());
  });
}

}  // namespace
}  // namespace obliq::capi

using obliq::Filter;
using obliq::capi::add_list;
using obliq::capi::add_param;
using obliq::capi::guard;
using obliq::capi::make_filter;
using obliq::capi::required;

obliq_status obliq_params_create(obliq_params** out) {
  return guard([&] {
    required(out, "out");
    obliq::capi::give(out, std::vector<obliq::FilterValue>());
  });
}

void obliq_params_free(obliq_params* params) { obliq::capi::take_back(params); }

obliq_status obliq_params_add_bool(obliq_params* params, int value) {
  return add_param(params, value != 0);
}

obliq_status obliq_params_add_int64(obliq_params* params, int64_t value) {
  return add_param(params, value);
}

obliq_status obliq_params_add_double(obliq_params* params, double value) {
  return add_param(params, value);
}

obliq_status obliq_params_add_text(obliq_params* params, const char* text, size_t size) {
  return guard([&] {
    obliq::capi::require_buffer(text, size, 1, "text");
    required(params, "params").values.emplace_back(std::string(size == 0 ? "" : text, size));
  });
}

obliq_status obliq_params_add_int64_list(obliq_params* params, const int64_t* values, size_t n) {
  return add_list(params, values, n);
}

obliq_status obliq_params_add_double_list(obliq_params* params, const double* values, size_t n) {
  return add_list(params, values, n);
}

obliq_status obliq_params_add_text_list(obliq_params* params, const char* const* texts,
                                        const size_t* sizes, size_t n) {
  return guard([&] {
    const auto views = obliq::capi::texts_of(texts, sizes, n, "texts");
    required(params, "params")
        .values.emplace_back(std::vector<std::string>(views.begin(), views.end()));
  });
}

obliq_status obliq_filter_where(const char* expression, const obliq_params* params,
                                obliq_filter** out) {
  return make_filter(out, [&] {
    return Filter::where(obliq::capi::text_of(expression, "expression"),
                         params == nullptr ? std::vector<obliq::FilterValue>() : params->values);
  });
}

obliq_status obliq_filter_allow(const int64_t* ids, size_t n, obliq_filter** out) {
  return make_filter(out, [&] { return Filter::allow(obliq::capi::values_of(ids, n, "ids")); });
}

obliq_status obliq_filter_deny(const int64_t* ids, size_t n, obliq_filter** out) {
  return make_filter(out, [&] { return Filter::deny(obliq::capi::values_of(ids, n, "ids")); });
}

obliq_status obliq_filter_allow_keys(const char* const* keys, const size_t* sizes, size_t n,
                                     obliq_filter** out) {
  return make_filter(
      out, [&] { return Filter::allow_keys(obliq::capi::texts_of(keys, sizes, n, "keys")); });
}

obliq_status obliq_filter_deny_keys(const char* const* keys, const size_t* sizes, size_t n,
                                    obliq_filter** out) {
  return make_filter(
      out, [&] { return Filter::deny_keys(obliq::capi::texts_of(keys, sizes, n, "keys")); });
}

obliq_status obliq_filter_positions(const uint8_t* allowed, size_t n, obliq_filter** out) {
  return make_filter(
      out, [&] { return Filter::positions(obliq::capi::values_of(allowed, n, "allowed")); });
}

obliq_status obliq_filter_callback(int (*allows)(void* user, int64_t id), void* user,
                                   obliq_filter** out) {
  return make_filter(out, [&] {
    required(allows, "allows");
    return Filter::callback([allows, user](std::int64_t id) { return allows(user, id) != 0; });
  });
}

obliq_status obliq_filter_all_of(const obliq_filter* const* filters, size_t n, obliq_filter** out) {
  return make_filter(out, [&] {
    obliq::capi::require_buffer(static_cast<const void*>(filters), n, sizeof(void*), "filters");
    std::vector<Filter> all;
    all.reserve(n);
    for (std::size_t i = 0; i < n; ++i) all.push_back(required(filters[i], "a filter").filter);
    return Filter::all_of(all);
  });
}

void obliq_filter_free(obliq_filter* filter) { obliq::capi::take_back(filter); }
