// A column is written section by section, and the rows are gone through for each that holds
// something of theirs; what is small, bits and ranges, is gathered meanwhile. Dictionaries are
// sorted, so that all together are a merge of runs: one pass over them numbers the texts that kept
// rows name, another one writes these.
#include "index/build/merge_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <queue>
#include <stdexcept>
#include <utility>

#include "index/build/piece_sink.h"
#include "index/columns/column_ranges.h"
#include "index/columns/column_sections.h"
#include "index/columns/joined_schema.h"

namespace obliq {
namespace {

constexpr std::uint32_t kUnused = 0xFFFFFFFFU;

std::span<const std::uint8_t> unsigned_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Calls visit(source, number) for all texts of the dictionaries that are used, by rising bytes.
template <typename Visit>
void for_each_used(std::span<const StoredColumn* const> columns,
                   std::span<const std::vector<std::uint32_t>> code_of, Visit visit) {
  struct Next {
    std::string_view text;
    std::size_t source;
    std::size_t number;
    bool operator<(const Next& other) const { return text > other.text; }
  };
  std::priority_queue<Next> queue;
  const auto push = [&](std::size_t source, std::size_t number) {
    while (number < code_of[source].size() && code_of[source][number] == kUnused) ++number;
    if (number == code_of[source].size()) return;
    queue.push({columns[source]->text_at(number), source, number});
  };
  for (std::size_t s = 0; s < columns.size(); ++s) push(s, 0);
  while (!queue.empty()) {
    const Next next = queue.top();
    queue.pop();
    visit(next.source, next.number, next.text);
    push(next.source, next.number + 1);
  }
}

class WrittenColumns final : public ColumnSource {
 public:
  WrittenColumns(const std::set<std::string>& names, SectionSink& sink)
      : names_(names), sink_(sink) {}

  bool has(const std::string& section) const override { return names_.contains(section); }
  std::span<const std::byte> bytes(const std::string& section) const override {
    return sink_.written(section);
  }
  std::runtime_error fault(const std::string& section, const std::string& reason) const override {
    return std::runtime_error(
        fmt::format("section '{}': {}; a file that was merged is damaged", section, reason));
  }

 private:
  const std::set<std::string>& names_;
  SectionSink& sink_;
};

}  // namespace

/// A column on its way.
class OneColumn {
 public:
  OneColumn(ColumnMerger& merger, std::size_t number, std::span<const std::uint32_t> list_ends)
      : merger_(merger), spec_(merger.schema_[number]), number_(number), list_ends_(list_ends) {
    for (std::size_t s = 0; s < merger.sources_.size(); ++s) {
      const ColumnTable* table = merger.sources_.segment(s).columns.get();
      columns_.push_back(table == nullptr ? nullptr : table->find(spec_.name));
    }
  }

  void write();

 private:
  /// The column of a row; null where the row is NULL.
  const StoredColumn* value_of(const SourceRow& row) const {
    const StoredColumn* column = columns_[row.source];
    return column == nullptr || column->is_null(row.row) ? nullptr : column;
  }
  template <typename Visit>
  void write_rows(const char* part, Visit visit);
  template <typename T>
  void write_all(const char* part, const std::vector<T>& values) {
    merger_.begin(number_, part);
    merger_.sink_.append(std::as_bytes(std::span(values)));
  }
  void write_valid();
  template <typename T>
  void write_numbers(std::span<const T> StoredColumn::*values);
  void write_bits();
  void write_texts();
  void mark_used();
  void write_dictionary();
  void write_codes();
  void write_sets();
  void append_code(const SourceRow& row, std::size_t place, PieceSink& sink) const;

  ColumnMerger& merger_;
  const ColumnSpec& spec_;
  const std::size_t number_;
  const std::span<const std::uint32_t> list_ends_;
  std::vector<const StoredColumn*> columns_;  // of each source
  BitCollector valid_;
  std::vector<std::vector<std::uint32_t>> code_of_;  // of each source's texts
  std::uint32_t code_bytes_ = 0;
};

// Calls visit(row, column, sink) for all rows in their order, the column null where they are NULL.
template <typename Visit>
void OneColumn::write_rows(const char* part, Visit visit) {
  merger_.begin(number_, part);
  PieceSink sink(merger_.sink_);
  merger_.for_each_row_([&](const SourceRow& row) { visit(row, value_of(row), sink); });
  sink.flush();
}

void OneColumn::write_valid() {
  if (!valid_.has_zeros()) return;
  write_all("valid", valid_.take());
}

template <typename T>
void OneColumn::write_numbers(std::span<const T> StoredColumn::*values) {
  RangeCollector<T> ranges(list_ends_);
  write_rows("values", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    const T value = column == nullptr ? 0 : (column->*values)[row.row];
    sink.append_value(value);
    valid_.put(column != nullptr);
    ranges.put(value, column != nullptr);
  });
  write_valid();
  write_all("ranges", ranges.take());
}

void OneColumn::write_bits() {
  BitCollector bits;
  merger_.for_each_row_([&](const SourceRow& row) {
    const StoredColumn* column = value_of(row);
    bits.put(column != nullptr && (column->bits[row.row / 64] >> row.row % 64 & 1) != 0);
    valid_.put(column != nullptr);
  });
  write_all("values", bits.take());
  write_valid();
}

void OneColumn::write_texts() {
  std::uint64_t end = 0;
  write_rows("ends", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    end += column == nullptr ? 0 : column->text_at(row.row).size();
    sink.append_value(end);
    valid_.put(column != nullptr);
  });
  write_rows("text", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    if (column != nullptr) sink.append(unsigned_bytes(column->text_at(row.row)));
  });
  write_valid();
}

void OneColumn::mark_used() {
  for (const StoredColumn* column : columns_) {
    code_of_.emplace_back(column == nullptr ? 0 : column->texts(), kUnused);
  }
  const auto mark = [&](const SourceRow& row, std::uint32_t code) {
    if (code < code_of_[row.source].size()) code_of_[row.source][code] = 0;
  };
  std::uint64_t texts = 0;
  merger_.for_each_row_([&](const SourceRow& row) {
    const StoredColumn* column = value_of(row);
    if (column == nullptr) return;
    if (spec_.type == ColumnType::keyword) {
      mark(row, column->code_at(row.row));
      return;
    }
    const std::uint32_t end = column->end_code(row.row);
    for (std::uint32_t i = column->first_code(row.row); i < end; ++i) {
      mark(row, column->code_at(i));
      ++texts;
    }
  });
  if (texts < kUnused) return;
  throw std::invalid_argument(fmt::format(
      "column '{}' has {} texts, too many for one segment: merge the segments in ranges of lists",
      spec_.name, texts));
}

void OneColumn::write_dictionary() {
  mark_used();
  merger_.begin(number_, "ends");
  PieceSink ends(merger_.sink_);
  std::uint32_t texts = 0;
  std::uint64_t end = 0;
  std::string_view last;
  const auto is_next = [&](std::string_view text) {
    const bool is_new = texts == 0 || text != last;
    last = text;
    texts += is_new ? 1 : 0;
    return is_new;
  };
  for_each_used(columns_, code_of_, [&](std::size_t source, std::size_t i, std::string_view text) {
    if (is_next(text)) ends.append_value(end += text.size());
    code_of_[source][i] = texts - 1;
  });
  ends.flush();
  code_bytes_ = code_bytes_of(texts);
  texts = 0;
  merger_.begin(number_, "text");
  PieceSink all(merger_.sink_);
  for_each_used(columns_, code_of_, [&](std::size_t, std::size_t, std::string_view text) {
    if (is_next(text)) all.append(unsigned_bytes(text));
  });
  all.flush();
}

// Of the code at a place of a source, what it is in the merged dictionary.
void OneColumn::append_code(const SourceRow& row, std::size_t place, PieceSink& sink) const {
  const std::vector<std::uint32_t>& known = code_of_[row.source];
  const std::uint32_t old = columns_[row.source]->code_at(place);
  const std::uint32_t code = old < known.size() && known[old] != kUnused ? known[old] : 0;
  sink.append({reinterpret_cast<const std::uint8_t*>(&code), code_bytes_});
}

void OneColumn::write_codes() {
  write_dictionary();
  constexpr std::uint8_t kNull[4] = {};
  write_rows("codes", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    valid_.put(column != nullptr);
    if (column != nullptr) {
      append_code(row, row.row, sink);
    } else {
      sink.append(std::span(kNull, code_bytes_));
    }
  });
  write_valid();
}

void OneColumn::write_sets() {
  write_dictionary();
  std::uint32_t end = 0;
  const auto begin_of = [](const SourceRow& row, const StoredColumn* column) {
    return std::min(column->first_code(row.row), column->end_code(row.row));
  };
  write_rows("rows", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    valid_.put(column != nullptr);
    if (column != nullptr) end += column->end_code(row.row) - begin_of(row, column);
    sink.append_value(end);
  });
  write_rows("codes", [&](const SourceRow& row, const StoredColumn* column, PieceSink& sink) {
    if (column == nullptr) return;
    const std::uint32_t behind = column->end_code(row.row);
    for (std::uint32_t i = begin_of(row, column); i < behind; ++i) append_code(row, i, sink);
  });
  write_valid();
}

void OneColumn::write() {
  switch (spec_.type) {
    case ColumnType::int64:
    case ColumnType::timestamp:
      return write_numbers(&StoredColumn::integers);
    case ColumnType::float64:
      return write_numbers(&StoredColumn::doubles);
    case ColumnType::boolean:
      return write_bits();
    case ColumnType::keyword:
      return write_codes();
    case ColumnType::keywords:
      return write_sets();
    case ColumnType::bytes:
      return write_texts();
  }
}

std::size_t merge_columns_bytes(const std::vector<MergeSource>& sources) {
  std::map<std::string_view, std::size_t> texts;
  std::size_t rows = 0;
  std::size_t lists = 0;
  for (const MergeSource& source : sources) {
    rows += source.segment.info.rows;
    if (source.segment.columns == nullptr) continue;
    lists = source.segment.model->nlist();
    for (const StoredColumn& column : source.segment.columns->columns) {
      texts[column.spec.name] += has_codes(column.spec.type) ? column.texts() : 0;
    }
  }
  std::size_t most = 0;
  for (const auto& [name, count] : texts) most = std::max(most, count);
  return texts.empty() ? 0 : rows / 4 + 16 * lists + sizeof(std::uint32_t) * most;
}

std::uint64_t column_bytes_of(const MergeSources& sources) {
  std::uint64_t sum = 0;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    sum += column_bytes(sources.segment(s).columns.get());
  }
  return sum;
}

ColumnMerger::ColumnMerger(const MergeSources& sources,
                           std::function<void(const Visit&)> for_each_row, SectionSink& sink)
    : sources_(sources), for_each_row_(std::move(for_each_row)), sink_(sink) {
  std::vector<NamedTable> tables;
  for (std::size_t s = 0; s < sources.size(); ++s) {
    tables.push_back({sources.segment(s).columns.get(), sources.name(s)});
  }
  schema_ = joined_schema(tables);
}

void ColumnMerger::begin(std::size_t column, const char* part) {
  std::string name = column_section(column, part);
  sink_.begin(name);
  sections_.insert(std::move(name));
}

void ColumnMerger::write(std::span<const std::uint32_t> list_ends) {
  if (empty()) return;
  const std::string names = write_schema(schema_);
  sink_.add(kColumnsSection, std::as_bytes(std::span(names)), Need::required);
  for (std::size_t i = 0; i < schema_.size(); ++i) OneColumn(*this, i, list_ends).write();
}

std::shared_ptr<const ColumnTable> ColumnMerger::written(std::size_t rows, std::size_t records,
                                                         std::shared_ptr<const void> owner) const {
  if (empty()) return nullptr;
  auto table = std::make_shared<ColumnTable>(read_columns(
      sink_.written(kColumnsSection), WrittenColumns(sections_, sink_), rows, records));
  table->owner = std::move(owner);
  return table;
}

}  // namespace obliq
