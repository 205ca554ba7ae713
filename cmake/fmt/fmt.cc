// fmt as one source: what the library of fmt 9 holds, made of its headers. Header-only, fmt is
// compiled again in each source that formats a message, which doubles the time to compile them.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
// These the headers declare as instantiated elsewhere.
template dragonbox::decimal_fp<float> dragonbox::to_decimal(float) noexcept;
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double) noexcept;
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
}  // namespace detail
FMT_END_NAMESPACE
