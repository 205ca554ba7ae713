// Fields are read from the front, each with its number of digits; the days since 1970 are those of
// std::chrono, which knows the Gregorian calendar, also before it was in use.
#include "index/filter/timestamp.h"

#include <chrono>
#include <cstddef>

namespace obliq {
namespace {

constexpr std::int64_t kSecond = 1'000'000;  // microseconds
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

/// Takes a text from the front. Once something does not fit, nothing does any more.
class Fields {
 public:
  explicit Fields(std::string_view text) : left_(text) {}

  bool fits() const { return fits_; }
  bool at_end() const { return left_.empty(); }
  bool at_digit() const { return !at_end() && left_[0] >= '0' && left_[0] <= '9'; }

  /// A number of exactly these digits, least <= number <= most.
  int number(int digits, int least, int most) {
    int value = 0;
    for (int i = 0; i < digits && fits_; ++i) {
      fits_ = at_digit();
      if (fits_) value = 10 * value + (take() - '0');
    }
    fits_ = fits_ && value >= least && value <= most;
    return value;
  }
  /// Whether one of these characters stands in front, which is then taken.
  bool skip(std::string_view any) {
    if (at_end() || any.find(left_[0]) == std::string_view::npos) return false;
    take();
    return true;
  }
  void expect(char character) { fits_ = skip(std::string_view(&character, 1)) && fits_; }
  void fail() { fits_ = false; }
  char take() {
    const char first = left_[0];
    left_.remove_prefix(1);
    return first;
  }

 private:
  std::string_view left_;
  bool fits_ = true;
};

std::int64_t read_date(Fields& fields) {
  const int year = fields.number(4, 1, 9999);
  fields.expect('-');
  const int month = fields.number(2, 1, 12);
  fields.expect('-');
  const int day = fields.number(2, 1, 31);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) {
    fields.fail();
    return 0;
  }
  return std::chrono::sys_days(date).time_since_epoch().count() * kDay;
}

/// Digits behind the point: microseconds. Finer ones must be zeros.
std::int64_t read_fraction(Fields& fields) {
  std::int64_t value = 0;
  std::int64_t unit = kSecond / 10;
  if (!fields.at_digit()) fields.fail();
  for (; fields.fits() && fields.at_digit(); unit /= 10) {
    const int digit = fields.number(1, 0, unit == 0 ? 0 : 9);
    value += digit * unit;
  }
  return value;
}

std::int64_t read_time(Fields& fields) {
  std::int64_t value = fields.number(2, 0, 23) * kHour;
  fields.expect(':');
  value += fields.number(2, 0, 59) * kMinute;
  if (!fields.skip(":")) return value;
  value += fields.number(2, 0, 59) * kSecond;
  return fields.skip(".") ? value + read_fraction(fields) : value;
}

/// What to take off for UTC.
std::int64_t read_offset(Fields& fields) {
  if (fields.at_end() || fields.skip("Zz")) return 0;
  const bool is_west = fields.skip("-");
  if (!is_west) fields.expect('+');
  std::int64_t offset = fields.number(2, 0, 23) * kHour;
  if (fields.skip(":") || fields.at_digit()) offset += fields.number(2, 0, 59) * kMinute;
  return is_west ? -offset : offset;
}

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  Fields fields(text);
  std::int64_t value = read_date(fields);
  if (fields.fits() && !fields.at_end()) {
    if (!fields.skip("Tt ")) fields.fail();
    value += read_time(fields);
    value -= read_offset(fields);
  }
  if (!fields.fits() || !fields.at_end()) return std::nullopt;
  return value;
}

}  // namespace obliq
