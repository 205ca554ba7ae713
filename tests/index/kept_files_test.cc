// Files of format 2 that were written once and are read for ever: models, segments and indexes of
// every family of quantizers, in tests/golden/format2. Each gives the answers that answers.txt
// pins, and segments are merged to the bytes of the index beside them, but for what tuning finds.
//
// A family that is new is added to kKept: its test writes what is missing, and fails with the row
// that answers.txt lacks. Nothing that is there is written anew.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/model.h"
#include "storage/section_file.h"
#include "tests/index/frozen.h"
#include "tests/storage/files.h"

namespace obliq {
namespace {

using testing::golden;

constexpr std::size_t kQueries = 20;
constexpr std::size_t kCut = 60;  // where the base is cut in two

struct Kept {
  std::string name;
  std::size_t n;
  std::size_t dim;
  BuildOptions build;
  bool in_parts = false;  // model and segments are kept, too
  bool ids = false;
  bool columns = false;
};

// In parts: a model that is tuned with, spilled entries, ids, what an encoder learns, groups.
const Kept kKept[] = {
    {"sq8", 150, 12, {.quantizer = "sq8", .nlist = 6, .spill = .5}, true},
    {"sq8_ids_fp16",
     150,
     9,
     {.metric = Metric::ip, .quantizer = "sq8", .nlist = 5, .raw = RawTier::fp16},
     true,
     true},
    {"sq8_tuned", 1000, 8, {.quantizer = "sq8", .nlist = 12}, true},
    {"sq8_groups_fp32",
     400,
     8,
     {.quantizer = "sq8", .nlist = 80, .list_groups = 9, .raw = RawTier::fp32, .spill = 1},
     true},
    {"sq8_columns", 150, 8, {.quantizer = "sq8", .nlist = 6, .spill = .5}, true, false, true},
    {"lm1", 120, 17, {.quantizer = "lm1", .nlist = 4}},
    {"lm2_query_beam", 150, 8, {.quantizer = "lm2:query-beam", .nlist = 4}},
    {"lm4", 120, 11, {.metric = Metric::cosine, .quantizer = "lm4", .nlist = 4, .spill = .3}},
    {"lm4_query", 150, 8, {.quantizer = "lm4:query", .nlist = 4}, true},
    {"lm8", 120, 8, {.quantizer = "lm8", .nlist = 4}},
    {"tq4", 120, 8, {.metric = Metric::ip, .quantizer = "tq4", .nlist = 4}},
    {"tq2_5", 120, 16, {.quantizer = "tq2.5", .nlist = 4}, true},
    {"tq3_5", 120, 16, {.quantizer = "tq3.5", .nlist = 4}},
    {"tqp4", 120, 8, {.quantizer = "tqp4", .nlist = 4}},
    {"tqp3_gaussian", 120, 8, {.quantizer = "tqp3:gaussian", .nlist = 4}},
    {"kashin4", 120, 10, {.quantizer = "kashin4", .nlist = 4}},
    {"e8q14", 120, 16, {.quantizer = "e8q14", .nlist = 4, .spill = .5}},
    {"e8q8_query", 150, 8, {.quantizer = "e8q8:query", .nlist = 4}},
    {"d4q8", 120, 9, {.metric = Metric::cosine, .quantizer = "d4q8", .nlist = 4}},
    {"z8", 120, 8, {.quantizer = "z8", .nlist = 4}},
    {"tcq2", 120, 9, {.quantizer = "tcq2", .nlist = 4}},
    {"wf4", 150, 13, {.quantizer = "wf4", .nlist = 4}, true},
};

std::string kept_path(const std::string& file) {
  return OBLIQ_SOURCE_DIR "/tests/golden/format2/" + file;
}

std::vector<std::string> segments_of(const Kept& kept) {
  return {kept_path(kept.name + ".1.segment"), kept_path(kept.name + ".2.segment")};
}

std::string answers_of(const Kept& kept, const Index& index) {
  return kept.name + " " + testing::answers_hash(index, testing::queries(kQueries, kept.dim, 2));
}

void PrintTo(const Kept& kept, std::ostream* out) { *out << kept.name; }

std::vector<Kept> kept_in_parts() {
  std::vector<Kept> some;
  std::copy_if(std::begin(kKept), std::end(kKept), std::back_inserter(some),
               [](const Kept& kept) { return kept.in_parts; });
  return some;
}

class KeptFiles : public ::testing::TestWithParam<Kept> {};
class KeptParts : public ::testing::TestWithParam<Kept> {};

INSTANTIATE_TEST_SUITE_P(Golden, KeptFiles, ::testing::ValuesIn(kKept),
                         [](const auto& kept) { return kept.param.name; });
INSTANTIATE_TEST_SUITE_P(Golden, KeptParts, ::testing::ValuesIn(kept_in_parts()),
                         [](const auto& kept) { return kept.param.name; });

Matrix<std::int64_t> ids_of(const Kept& kept) {
  Matrix<std::int64_t> ids(kept.ids ? kept.n : 0, 1);
  for (std::size_t i = 0; i < ids.rows; ++i) ids.values[i] = 40 - 3 * static_cast<std::int64_t>(i);
  return ids;
}

/// Of each type one with nulls and one without, made without libm.
Columns columns_of(const Kept& kept) {
  constexpr std::size_t kTypes = 7;
  testing::Bits bits(77);
  Columns columns;
  for (std::size_t c = 0; kept.columns && c < 2 * kTypes; ++c) {
    const auto type = static_cast<ColumnType>(c % kTypes);
    ColumnValues column({to_string(type) + (c < kTypes ? "?" : ""), type});
    for (std::size_t i = 0; i < kept.n; ++i) {
      const std::uint64_t word = bits.next();
      const std::string text = "t\xC3\xA9" + std::to_string(word % 37);
      if (c < kTypes && word % 5 == 0) {
        column.add_null();
      } else if (type == ColumnType::float64) {
        column.add(static_cast<double>(word % 1000) / 8 - 60);
      } else if (type == ColumnType::keyword || type == ColumnType::bytes) {
        column.add(text);
      } else if (type == ColumnType::keywords) {
        const std::vector<std::string_view> set = {text, std::string_view(text).substr(0, 3), ""};
        column.add(std::span(set).first(word / 37 % 4));
      } else {
        column.add(static_cast<std::int64_t>(type == ColumnType::boolean ? word % 2 : word));
      }
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

void encode_part(const Kept& kept, const Model& model, std::size_t part, const std::string& path) {
  const Matrix<float> base = testing::vectors(kept.n, kept.dim, 1);
  const Matrix<std::int64_t> ids = ids_of(kept);
  const std::size_t first = part == 0 ? 0 : kCut;
  const std::size_t count = part == 0 ? kCut : kept.n - kCut;
  EncodeOptions options;
  Columns columns;
  for (const ColumnValues& column : columns_of(kept)) columns.push_back(column.slice(first, count));
  options.columns = columns;
  if (kept.ids) {
    options.ids = ids.view().slice(first, count);
  } else {
    options.first = first;
  }
  model.encode(base.view().slice(first, count), path, options);
}

void write(const Kept& kept) {
  const Matrix<float> base = testing::vectors(kept.n, kept.dim, 1);
  const Matrix<std::int64_t> ids = ids_of(kept);
  BuildOptions build = kept.build;
  if (kept.ids) build.ids = ids.view();
  const Columns columns = columns_of(kept);
  build.columns = columns;
  const Model model = Model::train(base.view(), build);
  if (kept.in_parts) {
    model.save(kept_path(kept.name + ".model"));
    for (std::size_t part = 0; part < 2; ++part) {
      encode_part(kept, model, part, segments_of(kept)[part]);
    }
  }
  Index::build_file(MatrixSource(base.view()), kept_path(kept.name + ".index"), build);
}

/// The sections of a file but what tuning found, which is not always what it finds today.
std::map<std::string, std::string> but_for_tuning(const std::string& path) {
  const SectionFile file(path);
  std::map<std::string, std::string> sections;
  for (const std::string& name : file.section_names()) {
    const std::span<const std::byte> bytes = file.section(name);
    if (name == "tuning") continue;
    sections.emplace(name, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
  return sections;
}

TEST_P(KeptFiles, GiveTheAnswersOfTheDayTheyWereWritten) {
  const Kept& kept = GetParam();
  if (!std::filesystem::exists(kept_path(kept.name + ".index"))) write(kept);
  const std::string pinned = golden("format2/answers.txt")[kept.name];
  for (const Residence residence : {Residence::mapped, Residence::memory}) {
    const Index index = Index::open(kept_path(kept.name + ".index"), {residence, true});
    EXPECT_EQ(answers_of(kept, index), pinned);
  }
}

TEST_P(KeptParts, AreMergedToTheBytesOfTheirIndex) {
  const Kept& kept = GetParam();
  const Model model = Model::open(kept_path(kept.name + ".model"));
  const auto merged =
      std::filesystem::temp_directory_path() / ("obliq_kept_" + std::to_string(::getpid()));
  merge(model, segments_of(kept), merged);
  EXPECT_TRUE(but_for_tuning(merged) == but_for_tuning(kept_path(kept.name + ".index")));
  std::filesystem::remove(merged);
}

// The encoder's bytes are as fixed as the format.
TEST_P(KeptParts, AreEncodedToTheSameBytesAgain) {
  const Kept& kept = GetParam();
  const Model model = Model::open(kept_path(kept.name + ".model"));
  const auto again =
      std::filesystem::temp_directory_path() / ("obliq_kept_" + std::to_string(::getpid()));
  for (std::size_t part = 0; part < 2; ++part) {
    encode_part(kept, model, part, again);
    EXPECT_TRUE(read_bytes(again) == read_bytes(segments_of(kept)[part]));
  }
  std::filesystem::remove(again);
}

}  // namespace
}  // namespace obliq
