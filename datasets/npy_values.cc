// NumPy's arrays of one axis as values: numbers, "|b1" of 0 and 1, "|S10" of bytes and "<U10" of
// code points, of 4 bytes each; texts end before the zeros that fill them up.
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "datasets/element.h"
#include "datasets/npy_header.h"
#include "datasets/value_array.h"
#include "storage/file_error.h"

namespace obliq::datasets {
namespace {

constexpr std::size_t kMostLetters = std::size_t{1} << 24;

/// The values of a file: `count` of `width` bytes each, all of them present.
struct Values {
  const FileBytes& file;
  std::size_t offset;
  std::size_t count;
  std::size_t width;

  const std::uint8_t* at(std::size_t i) const { return file.bytes.data() + offset + i * width; }
};

Values values_of(const FileBytes& file, const NpyHeader& header, std::size_t width) {
  const bool is_column = header.shape.size() == 2 && header.shape[1] == 1;
  if (header.shape.size() != 1 && !is_column) {
    throw_unfit(file.name, header.shape_offset,
                fmt::format("a column has one value per vector, in one axis, not {}; save one "
                            "column of it, x[:, 0]",
                            header.shape.size()));
  }
  std::size_t bytes = 0;
  const std::size_t present = file.bytes.size() - header.end;
  if (!multiply(header.shape[0], width, bytes) || bytes != present) {
    throw_damaged(file.name, header.shape_offset,
                  fmt::format("{} values of {} bytes are claimed, but {} bytes follow the header",
                              header.shape[0], width, present));
  }
  return {file, header.end, header.shape[0], width};
}

ValueArray numbers(const Values& values, Element element) {
  if (!is_integer(element)) {
    std::vector<double> out(values.count);
    to_doubles(element, values.at(0), out);
    return out;
  }
  std::vector<std::int64_t> out(values.count);
  to_integers(element, values.at(0), out);
  const std::size_t fault = element == Element::u64 ? first_negative(out) : out.size();
  if (fault == out.size()) return out;
  throw_unfit(values.file.name, values.offset + fault * values.width,
              fmt::format("row {} holds {}, which int64 does not hold", fault,
                          static_cast<std::uint64_t>(out[fault])));
}

ValueArray truths(const Values& values) {
  std::vector<bool> out(values.count);
  for (std::size_t i = 0; i < values.count; ++i) {
    if (*values.at(i) > 1) {
      throw_damaged(values.file.name, values.offset + i,
                    fmt::format("row {} holds {}, not 0 or 1", i, unsigned{*values.at(i)}));
    }
    out[i] = *values.at(i) == 1;
  }
  return out;
}

void append_utf8(std::string& text, std::uint32_t letter) {
  const auto tail = [&](int shift) {
    text.push_back(static_cast<char>(0x80 | (letter >> shift & 0x3F)));
  };
  if (letter < 0x80) {
    text.push_back(static_cast<char>(letter));
  } else if (letter < 0x800) {
    text.push_back(static_cast<char>(0xC0 | letter >> 6));
    tail(0);
  } else if (letter < 0x10000) {
    text.push_back(static_cast<char>(0xE0 | letter >> 12));
    tail(6);
    tail(0);
  } else {
    text.push_back(static_cast<char>(0xF0 | letter >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string unicode_at(const Values& values, std::size_t i) {
  std::string text;
  std::size_t zeros = 0;  // those before a letter are part of the text
  for (std::size_t j = 0; j < values.width; j += 4) {
    std::uint32_t letter = 0;
    std::memcpy(&letter, values.at(i) + j, 4);
    if (letter > 0x10FFFF || (letter >= 0xD800 && letter < 0xE000)) {
      throw_damaged(values.file.name, values.offset + i * values.width + j,
                    fmt::format("row {} holds {:#x}, which is no code point", i, letter));
    }
    if (letter == 0) {
      ++zeros;
      continue;
    }
    text.append(std::exchange(zeros, 0), '\0');
    append_utf8(text, letter);
  }
  return text;
}

std::string bytes_at(const Values& values, std::size_t i) {
  std::string text(reinterpret_cast<const char*>(values.at(i)), values.width);
  text.erase(text.find_last_not_of('\0') + 1);
  return text;
}

/// The number of letters of "|S10" and "<U10"; nothing for other types.
std::optional<std::size_t> letters_of(std::string_view descr) {
  if (!descr.starts_with("|S") && !descr.starts_with("<U")) return std::nullopt;
  std::size_t letters = 0;
  const char* end = descr.data() + descr.size();
  const auto result = std::from_chars(descr.data() + 2, end, letters);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return letters;
}

}  // namespace

ValueArray parse_npy_values(const FileBytes& file) {
  const NpyHeader header = parse_npy_header(file);
  if (const auto element = npy_element(header.descr)) {
    return numbers(values_of(file, header, element_bytes(*element)), *element);
  }
  if (header.descr == "|b1") return truths(values_of(file, header, 1));
  const auto letters = letters_of(header.descr);
  if (!letters) {
    throw_unfit(file.name, header.descr_offset,
                fmt::format("values of type '{}' are not read: little-endian numbers, bool, S and "
                            "U are; save x.astype('U'), of times x.astype('datetime64[us]')"
                            ".astype('i8'), which are a timestamp column",
                            header.descr));
  }
  if (*letters == 0 || *letters > kMostLetters) {
    throw_damaged(file.name, header.descr_offset, fmt::format("texts of {} letters", *letters));
  }
  const bool is_unicode = header.descr.front() == '<';
  const Values values = values_of(file, header, *letters * (is_unicode ? 4 : 1));
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < values.count; ++i) {
    texts.push_back(is_unicode ? unicode_at(values, i) : bytes_at(values, i));
  }
  return texts;
}

}  // namespace obliq::datasets
