// Times the evaluation of filter expressions over a million rows, one thread, data in memory:
//     bench_filter --benchmark_filter=int64
// A line is an expression. `number` and `real` are random, so that no range of a list decides;
// `clustered` rises, with lists of 250 rows; `few` has 100 texts, `many` 300,000; `tags` has 3 of
// 1,000 texts per row. items_per_second counts rows.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"
#include "index/filter/expression.h"

namespace obliq {
namespace {

constexpr std::size_t kRows = 1'000'000;
constexpr std::size_t kListRows = 250;

/// Codes of texts t0000000, t0000001 and so on.
struct Texts {
  std::uint32_t code_bytes = 1;
  std::vector<std::uint8_t> codes;
  std::vector<std::uint64_t> ends;
  std::string letters;

  Texts(std::size_t texts, std::size_t count, Random& random)
      : code_bytes(texts <= 256     ? 1
                   : texts <= 65536 ? 2
                                    : 4),
        codes(count * code_bytes) {
    for (std::size_t i = 0; i < texts; ++i) {
      letters += fmt::format("t{:07}", i);
      ends.push_back(letters.size());
    }
    for (std::size_t i = 0; i < count; ++i) {
      const auto code = static_cast<std::uint32_t>(random.next() % texts);
      std::memcpy(codes.data() + i * code_bytes, &code, code_bytes);
    }
  }

  StoredColumn column(const char* name, ColumnType type) const {
    StoredColumn made;
    made.spec = {name, type};
    made.code_bytes = code_bytes;
    made.codes = codes;
    made.text_ends = ends;
    made.text = letters;
    return made;
  }
};

struct Million {
  Random random{1};
  std::vector<std::int64_t> numbers;
  std::vector<std::int64_t> clustered;
  std::vector<std::int64_t> number_ranges;
  std::vector<std::int64_t> clustered_ranges;
  std::vector<double> reals;
  std::vector<std::uint64_t> valid;
  std::vector<std::uint32_t> tag_ends;
  Texts few{100, kRows, random};
  Texts many{300'000, kRows, random};
  Texts tags{1'000, 3 * kRows, random};
  std::vector<ListRecord> records;
  ColumnSchema schema;
  Segment segment;

  Million() {
    for (std::size_t i = 0; i < kRows; ++i) {
      numbers.push_back(static_cast<std::int64_t>(random.next() % 1'000'000));
      clustered.push_back(static_cast<std::int64_t>(i));
      reals.push_back(random.uniform());
      tag_ends.push_back(static_cast<std::uint32_t>(3 * i + 3));
    }
    for (std::size_t i = 0; i < kRows / 64; ++i) valid.push_back(random.next() | random.next());
    for (std::size_t row = 0; row < kRows; row += kListRows) {
      ListRecord record;
      record.count = record.primaries = kListRows;
      record.first_row = static_cast<std::uint32_t>(row);
      records.push_back(record);
      add_range(numbers, row, number_ranges);
      add_range(clustered, row, clustered_ranges);
    }
    auto table = std::make_shared<ColumnTable>();
    table->rows = kRows;
    table->columns = {integers("number", numbers, number_ranges, {}),
                      integers("holed", numbers, number_ranges, valid),
                      integers("clustered", clustered, clustered_ranges, {}),
                      few.column("few", ColumnType::keyword),
                      many.column("many", ColumnType::keyword),
                      tags.column("tags", ColumnType::keywords)};
    table->columns.back().row_ends = tag_ends;
    StoredColumn real;
    real.spec = {"real", ColumnType::float64};
    real.doubles = reals;
    table->columns.push_back(real);
    for (const StoredColumn& column : table->columns) schema.push_back(column.spec);
    segment.info.rows = segment.info.n = kRows;
    segment.lists = ListDirectory(records);
    segment.columns = table;
  }

  static void add_range(const std::vector<std::int64_t>& values, std::size_t row,
                        std::vector<std::int64_t>& ranges) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(row);
    const auto [least, most] = std::minmax_element(begin, begin + kListRows);
    ranges.push_back(*least);
    ranges.push_back(*most);
  }

  static StoredColumn integers(const char* name, const std::vector<std::int64_t>& values,
                               const std::vector<std::int64_t>& ranges,
                               std::span<const std::uint64_t> valid) {
    StoredColumn made;
    made.spec = {name, ColumnType::int64};
    made.valid = valid;
    made.integers = values;
    made.integer_ranges = ranges;
    return made;
  }
};

void time_expression(benchmark::State& state, const Million& million, const std::string& text,
                     const std::vector<FilterValue>& params) {
  const auto bound = bind_filter(parse_filter(text, params), million.schema);
  std::vector<std::uint64_t> words((kRows + 63) / 64);
  for ([[maybe_unused]] auto round : state) {
    evaluate(*bound, million.segment, words);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}

void time_parsing(benchmark::State& state, const Million& million) {
  const std::string text =
      "number >= 2020 and few in ('t0000001', 't0000002') and not (real "
      "between 0.3 and 0.5) and holed is not null";
  for ([[maybe_unused]] auto round : state) {
    benchmark::DoNotOptimize(bind_filter(parse_filter(text, {}), million.schema));
  }
}

std::vector<std::int64_t> spread(std::size_t count, std::int64_t step) {
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < count; ++i) numbers.push_back(static_cast<std::int64_t>(i) * step);
  return numbers;
}

void register_all(const Million& million) {
  const std::vector<std::pair<std::string, std::string>> expressions = {
      {"int64", "number >= 500000"},
      {"int64 equal", "number = 500000"},
      {"int64 between", "number between 300000 and 500000"},
      {"int64 with nulls", "holed < 500000"},
      {"int64 clustered", "clustered < 500000"},
      {"int64 in 3", "number in (1, 500, 70000)"},
      {"int64 in 8", "number in (1, 5, 70, 800, 9000, 10000, 20000, 30000)"},
      {"double", "real < 0.5"},
      {"keyword", "few = 't0000042'"},
      {"keyword of many", "many = 't0042000'"},
      {"keyword range", "many < 't0150000'"},
      {"keyword in 2", "few in ('t0000001', 't0000042')"},
      {"keyword in 8",
       "few in ('t0000001', 't0000003', 't0000005', 't0000007', 't0000009', "
       "'t0000011', 't0000013', 't0000015')"},
      {"keywords", "tags = 't0000042'"},
      {"keywords range", "tags < 't0000500'"},
      {"two of and", "number >= 500000 and few = 't0000042'"},
  };
  for (const auto& [name, text] : expressions) {
    benchmark::RegisterBenchmark(name.c_str(), [&million, text = text](benchmark::State& state) {
      time_expression(state, million, text, {});
    })->Unit(benchmark::kMillisecond);
  }
  for (const std::int64_t step : {7, 1'000'003}) {
    for (const std::size_t count : {1'000U, 100'000U}) {
      const std::string name = fmt::format("int64 in {} each {}", count, step);
      benchmark::RegisterBenchmark(name.c_str(), [=, &million](benchmark::State& state) {
        time_expression(state, million, "number in ?", {spread(count, step)});
      })->Unit(benchmark::kMillisecond);
    }
  }
  benchmark::RegisterBenchmark("parse and bind", [&million](benchmark::State& state) {
    time_parsing(state, million);
  })->Unit(benchmark::kMicrosecond);
}

}  // namespace
}  // namespace obliq

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  const obliq::Million million;
  obliq::register_all(million);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
