// libcsv tells fields and ends of rows by callbacks of C, through which nothing may be thrown: what
// goes wrong in one is kept, and thrown once the piece of the file that was given is done.
#include "datasets/csv.h"

#include <csv.h>
#include <fmt/format.h>

#include <exception>
#include <new>
#include <stdexcept>

namespace obliq::datasets {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kMostNames = 1000;  // of a schema
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class Parser {
 public:
  explicit Parser(const FileBytes& file) : file_(file) {
    table_.path = file.name;
    if (csv_init(&csv_, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0) {
      throw std::bad_alloc();
    }
    csv_set_space_func(&csv_, [](unsigned char) { return 0; });
  }
  ~Parser() { csv_free(&csv_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  CsvTable parse(const Progress& progress) {
    std::string_view rest(reinterpret_cast<const char*>(file_.bytes.data()), file_.bytes.size());
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
    while (!rest.empty()) {
      report(progress, "reading columns",
             1 - static_cast<double>(rest.size()) / static_cast<double>(file_.bytes.size()));
      const std::string_view piece = rest.substr(0, kPieceBytes);
      check(csv_parse(&csv_, piece.data(), piece.size(), on_field, on_row, this) == piece.size());
      rest.remove_prefix(piece.size());
    }
    check(csv_fini(&csv_, on_field, on_row, this) == 0);
    if (!has_header_) {
      throw std::invalid_argument(file_.name + ": is empty: its first line names the columns");
    }
    return std::move(table_);
  }

 private:
  static void on_field(void* bytes, std::size_t length, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    parser.keep_fault([&] {
      parser.field(bytes == nullptr
                       ? std::nullopt
                       : std::optional(std::string_view(static_cast<const char*>(bytes), length)));
    });
  }
  static void on_row(int, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    parser.keep_fault([&] { parser.end_row(); });
  }

  template <typename Step>
  void keep_fault(Step step) {
    if (fault_) return;
    try {
      step();
    } catch (...) {
      fault_ = std::current_exception();
    }
  }

  /// After a piece: `sound` is what libcsv says of it.
  void check(bool sound) {
    if (fault_) std::rethrow_exception(fault_);
    if (sound) return;
    if (csv_error(&csv_) != CSV_EPARSE) throw std::bad_alloc();
    refuse(
        "a quote stands inside a field that does not begin with one, or is not closed: put the "
        "field in quotes, and double those in it");
  }

  [[noreturn]] void refuse(std::string_view reason) const {
    throw std::invalid_argument(has_header_
                                    ? fmt::format("{}: row {}: {}", file_.name, table_.rows, reason)
                                    : fmt::format("{}: header: {}", file_.name, reason));
  }

  void field(std::optional<std::string_view> text) {
    if (!has_header_) {
      add_name(text.value_or(""));
    } else if (fields_ < table_.columns.size()) {
      table_.columns[fields_].add(text);
    }
    ++fields_;
  }

  void add_name(std::string_view name) {
    if (name.empty()) refuse(fmt::format("column {} has no name", fields_ + 1));
    for (const CsvColumn& column : table_.columns) {
      if (column.name() == name) refuse(fmt::format("column '{}' comes twice", name));
    }
    if (table_.columns.size() == kMostNames) {
      refuse(fmt::format("more than {} columns are named; cut the table", kMostNames));
    }
    table_.columns.emplace_back(std::string(name));
  }

  void end_row() {
    if (has_header_ && fields_ != table_.columns.size()) {
      refuse(
          fmt::format("{} fields, but the header names {} columns; a comma in a field takes "
                      "quotes around it",
                      fields_, table_.columns.size()));
    }
    if (has_header_) ++table_.rows;
    has_header_ = true;
    fields_ = 0;
  }

  const FileBytes& file_;
  csv_parser csv_{};
  CsvTable table_;
  bool has_header_ = false;
  std::size_t fields_ = 0;  // of this row
  std::exception_ptr fault_;
};

}  // namespace

std::optional<std::string_view> CsvColumn::field(std::size_t row) const {
  if (is_missing_[row]) return std::nullopt;
  const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
  return std::string_view(text_).substr(begin, ends_[row] - begin);
}

void CsvColumn::add(std::optional<std::string_view> field) {
  text_ += field.value_or("");
  ends_.push_back(text_.size());
  is_missing_.push_back(!field);
}

CsvTable parse_csv(const FileBytes& file, const Progress& progress) {
  return Parser(file).parse(progress);
}

CsvTable read_csv(const std::string& path, const Progress& progress) {
  const MappedFile map(path);
  return parse_csv(bytes_of(map), progress);
}

}  // namespace obliq::datasets
