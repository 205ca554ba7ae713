// Where the text lies, and a parser for that one literal: a dict of a string, a bool and a tuple of
// whole numbers.
#include "datasets/npy_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>

#include "datasets/flat_format.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

class Parser {
 public:
  Parser(const FileBytes& file, std::size_t start, std::size_t length)
      : file_(file), at_(start), end_(start + length) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      entry();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    if (header_.descr_offset == 0) fail("'descr' is missing");
    if (header_.order_offset == 0) fail("'fortran_order' is missing");
    if (header_.shape_offset == 0) fail("'shape' is missing");
    skip_space();
    if (at_ != end_) fail("text after the closing brace");
    return header_;
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const {
    throw_damaged(file_.name, at_, fmt::format("npy header: {}", reason));
  }

  char peek() const { return at_ < end_ ? static_cast<char>(file_.bytes[at_]) : '\0'; }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\t' || peek() == '\r') ++at_;
  }

  bool accept(char wanted) {
    skip_space();
    if (peek() != wanted || at_ == end_) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) fail(fmt::format("'{}' expected", wanted));
  }

  // The place of a value, for errors about it. Each key may come once.
  std::size_t start_value(std::size_t& offset) {
    if (offset != 0) fail("a key is repeated");
    expect(':');
    skip_space();
    return offset = at_;
  }

  void entry() {
    const std::string key = text();
    if (key == "descr") {
      start_value(header_.descr_offset);
      if (peek() == '[') {
        throw_unfit(file_.name, at_, "holds records (structured types); save one field of numbers");
      }
      header_.descr = text();
    } else if (key == "fortran_order") {
      start_value(header_.order_offset);
      header_.fortran_order = truth();
    } else if (key == "shape") {
      start_value(header_.shape_offset);
      header_.shape = tuple();
    } else {
      fail(fmt::format("unknown key '{}'", key));
    }
  }

  // Python 2 may say u'descr'.
  std::string text() {
    skip_space();
    if (peek() == 'u' || peek() == 'b') ++at_;
    const char quote = accept('"') ? '"' : '\'';
    if (quote == '\'') expect('\'');
    std::string value;
    for (; peek() != quote; ++at_) {
      if (at_ == end_ || peek() < ' ' || peek() == '\\') fail("a plain string expected");
      value.push_back(peek());
    }
    ++at_;
    return value;
  }

  bool truth() {
    for (const std::string_view word : {"True", "False"}) {
      const std::string_view rest(reinterpret_cast<const char*>(file_.bytes.data()) + at_,
                                  end_ - at_);
      if (!rest.starts_with(word)) continue;
      at_ += word.size();
      return word == "True";
    }
    fail("True or False expected");
  }

  std::vector<std::size_t> tuple() {
    std::vector<std::size_t> values;
    expect('(');
    while (!accept(')')) {
      values.push_back(number());
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return values;
  }

  std::size_t number() {
    skip_space();
    if (peek() < '0' || peek() > '9') fail("a whole number of 0 or more expected");
    std::size_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at_) {
      const auto digit = static_cast<std::size_t>(peek() - '0');
      if (value > (std::numeric_limits<std::size_t>::max() - digit) / 10) fail("number too large");
      value = value * 10 + digit;
    }
    if (peek() == 'L') ++at_;  // a long of Python 2
    return value;
  }

  const FileBytes& file_;
  std::size_t at_;
  std::size_t end_;
  NpyHeader header_;
};

struct Described {
  std::string_view descr;
  Element element;
};
constexpr std::array<Described, 11> kDescribed{{{"<f4", Element::f32},
                                                {"<f2", Element::f16},
                                                {"<f8", Element::f64},
                                                {"|u1", Element::u8},
                                                {"|i1", Element::i8},
                                                {"<u2", Element::u16},
                                                {"<i2", Element::i16},
                                                {"<u4", Element::u32},
                                                {"<i4", Element::i32},
                                                {"<u8", Element::u64},
                                                {"<i8", Element::i64}}};

// Bytes of magic, version and length, and of the text after them.
struct Extent {
  std::size_t start;
  std::size_t length;
};

Extent text_extent(const FileBytes& file) {
  const auto& bytes = file.bytes;
  if (bytes.size() < 10)
    throw_damaged(file.name, bytes.size(), "the file ends inside the npy header");
  if (!std::equal(kNpyMagic.begin(), kNpyMagic.end(),
                  reinterpret_cast<const char*>(bytes.data()))) {
    throw_damaged(file.name, 0, "not an npy file");
  }
  const unsigned major = bytes[6];
  if (major < 1 || major > 3 || bytes[7] != 0) {
    throw_damaged(file.name, 6,
                  fmt::format("npy format {}.{} is not read", major, unsigned{bytes[7]}));
  }
  const Extent extent = major == 1 ? Extent{10, static_cast<std::size_t>(bytes[8] | bytes[9] << 8)}
                                   : Extent{12, read_u32(file, 8)};
  if (extent.start > bytes.size() || extent.length > bytes.size() - extent.start) {
    throw_damaged(file.name, 8,
                  fmt::format("a header of {} bytes does not fit the file", extent.length));
  }
  return extent;
}

}  // namespace

NpyHeader parse_npy_header(const FileBytes& file) {
  const Extent extent = text_extent(file);
  NpyHeader header = Parser(file, extent.start, extent.length).parse();
  header.end = extent.start + extent.length;
  return header;
}

std::optional<Element> npy_element(std::string_view descr) {
  for (const Described& row : kDescribed) {
    if (row.descr == descr) return row.element;
  }
  return std::nullopt;
}

std::string_view npy_descr(Element element) {
  for (const Described& row : kDescribed) {
    if (row.element == element) return row.descr;
  }
  return {};
}

}  // namespace obliq::datasets
