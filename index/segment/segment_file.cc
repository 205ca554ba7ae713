// Sections, all little-endian, arrays without gaps:
//
//     segment      SegmentInfo, 80 bytes
//     lists        ListRecord, 32 bytes each: of all lists or, where there are
//     list.numbers uint32, rising: of these lists
//     blocks       sign blocks, [entries / 32][block_bytes(dim)]
//     spilled      of each spilled entry its row and primary list, 6 or 8 bytes
//     rows         [rows][row bytes]
//     raw          [rows][dim] fp16 or fp32; left out without a raw tier
//     positions    uint32 [rows]; or, where ids were given,
//     ids          int64 [rows], and
//     ids.sorted   uint32 [n]: rows by rising id
//     columns      names and types of columns; left out where there are none, like
//     ci.PART      of column i its values and so on (columns/column_table.h)
//     truth        float32 [learn queries][128]; left out, like the next, when it is not kept
//     truth.ids    int64 [learn queries][128]
//     tuning       ways to target recalls (tuning_section.h); of an index, where it is tuned
#include "index/segment/segment_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "index/columns/column_sections.h"
#include "index/segment/known_sections.h"
#include "index/segment/model_file.h"
#include "index/segment/raw_tier.h"
#include "index/segment/segment_columns.h"
#include "index/segment/tuning_section.h"

namespace obliq {
namespace {

Loading loading_of(const OpenOptions& options) {
  return options.residence == Residence::mapped ? Loading::mapped : Loading::memory;
}

// Reads one segment and refuses what does not fit together.
class SegmentReader {
 public:
  SegmentReader(SectionReader& reader, const std::shared_ptr<const TrainedModel>& model)
      : reader_(reader), model_(model) {}

  Segment read(const OpenOptions& options);

 private:
  void read_info();
  void read_lists();
  void check_record(const ListRecord& record, std::uint32_t list);
  void check_totals() const;
  void read_ids();
  void read_truth();
  void read_tuning();
  void check_spilled() const;
  void check_sorted() const;
  void check_order() const;
  void advise() const;

  SectionReader& reader_;
  const std::shared_ptr<const TrainedModel>& model_;
  Segment segment_;
  // Of the records so far:
  std::uint64_t rows_ = 0;
  std::uint64_t foreign_ = 0;
  std::uint64_t spilled_ = 0;
};

void SegmentReader::read_info() {
  SegmentInfo& info = segment_.info;
  std::memcpy(&info, reader_.fixed_array<std::byte>("segment", 1, sizeof info).data(), sizeof info);
  const auto refuse = [&](const std::string& reason) { reader_.refuse("segment", reason); };
  if (info.model != model_->info.id) {
    throw std::invalid_argument(
        fmt::format("{}: it was encoded with the model {:016x}, not with {:016x}: name that one",
                    reader_.file().path(), info.model, model_->info.id));
  }
  if (info.rows >= 0xFFFFFFFFU || info.n > info.rows) {
    refuse(fmt::format("{} vectors in {} rows", info.n, info.rows));
  }
  if (info.entries % kBlockEntries != 0) refuse(fmt::format("{} entries", info.entries));
  if (info.spilled >= 0xFFFFFFFFU) refuse(fmt::format("{} spilled entries", info.spilled));
  if (info.first_list > info.end_list || info.end_list > model_->nlist()) {
    refuse(fmt::format("lists {} to {} of {}", info.first_list, info.end_list, model_->nlist()));
  }
  if (info.has_ids > 1 || info.zero != 0 || info.zeros != 0) refuse("unknown flags");
}

void SegmentReader::check_record(const ListRecord& record, std::uint32_t list) {
  const SegmentInfo& info = segment_.info;
  const auto refuse = [&](std::string_view reason) {
    reader_.refuse("lists", fmt::format("list {} {}", list, reason));
  };
  if (record.first > info.entries || record.stored() > info.entries - record.first) {
    refuse(fmt::format("ends beyond the {} entries", info.entries));
  }
  if (record.first_row != rows_) refuse("does not begin where the rows of the one before end");
  if (record.first_spilled != spilled_) refuse("has spilled entries of another list");
  for (const int exponent : {record.scale_exponent, record.add_exponent}) {
    if (exponent < kLeastExponent || exponent > kMostExponent) refuse("has a unit out of range");
  }
  if (!std::isfinite(record.longest2)) refuse("has a number that is not finite");
  rows_ += record.primaries;
  spilled_ += record.spilled();
  if (record.is_foreign()) {
    if (record.count > 0) refuse("holds both its own rows and foreign ones");
    foreign_ += record.primaries;
  }
}

void SegmentReader::check_totals() const {
  const SegmentInfo& info = segment_.info;
  if (rows_ != info.rows || rows_ - foreign_ != info.n || spilled_ != info.spilled) {
    reader_.refuse("lists", fmt::format("{} rows, {} of them foreign, and {} spilled entries, not "
                                        "{}, {} and {}",
                                        rows_, foreign_, spilled_, info.rows, info.rows - info.n,
                                        info.spilled));
  }
}

void SegmentReader::read_lists() {
  const std::uint64_t nlist = model_->nlist();
  if (reader_.has("list.numbers")) {
    const auto numbers = reader_.fixed_all<std::uint32_t>("list.numbers");
    segment_.lists =
        ListDirectory(reader_.fixed_array<ListRecord>("lists", numbers.size(), 1), numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] < nlist && (i == 0 || numbers[i] > numbers[i - 1])) continue;
      reader_.refuse("list.numbers",
                     fmt::format("list {} of {}, or out of order", numbers[i], nlist));
    }
  } else {
    segment_.lists = ListDirectory(reader_.fixed_array<ListRecord>("lists", nlist, 1));
  }
  for (std::size_t i = 0; i < segment_.lists.records().size(); ++i) {
    check_record(segment_.lists.records()[i], segment_.lists.list_of(i));
  }
  check_totals();
}

void SegmentReader::read_ids() {
  const SegmentInfo& info = segment_.info;
  if (info.has_ids == 0) {
    segment_.positions = reader_.array<std::uint32_t>("positions", info.rows, 1);
    return;
  }
  segment_.ids = reader_.array<std::int64_t>("ids", info.rows, 1);
  segment_.sorted_rows = reader_.array<std::uint32_t>("ids.sorted", info.n, 1);
}

void SegmentReader::read_truth() {
  if (!reader_.has("truth")) return;
  segment_.truth.ids = reader_.fixed_all<std::int64_t>("truth.ids");
  segment_.truth.distances = reader_.fixed_array<float>("truth", segment_.truth.ids.size(), 1);
  const std::size_t learn = model_->learn_ids.size();
  if (segment_.truth.ids.size() % Truth::kNeighbours != 0 ||
      (learn > 0 && segment_.truth.ids.size() != learn * Truth::kNeighbours)) {
    reader_.refuse("truth.ids", fmt::format("{} neighbours of {} learn queries",
                                            segment_.truth.ids.size(), learn));
  }
}

void SegmentReader::read_tuning() {
  if (!reader_.has("tuning")) return;
  try {
    segment_.tuning = obliq::read_tuning(reader_.fixed("tuning"));
  } catch (const std::invalid_argument& error) {
    reader_.refuse("tuning", error.what());
  }
}

// Spilled entries must name rows of their primary lists, each row once, and in a list their ids
// must rise. A search is safe without: it looks at the numbers before it follows them.
void SegmentReader::check_spilled() const {
  std::vector<bool> is_named(segment_.info.rows);
  for (const ListRecord& record : segment_.lists.records()) {
    std::uint32_t before = 0;
    for (std::size_t i = 0; i < record.spilled(); ++i) {
      const std::size_t entry = record.first_spilled + i;
      const auto [row, list] = segment_.spilled_entry(entry);
      const ListRecord* primary = list < model_->nlist() ? segment_.lists.find(list) : nullptr;
      const auto refuse = [&, row = row](const std::string& reason) {
        reader_.refuse("spilled", fmt::format("entry {} names row {}, {}", entry, row, reason));
      };
      if (primary == nullptr || row - primary->first_row >= primary->primaries) {
        refuse(fmt::format("which is not of list {}", list));
      }
      if (is_named[row]) refuse("as one before does");
      if (i > 0 && segment_.id(before) >= segment_.id(row)) refuse("which is out of order");
      is_named[row] = true;
      before = row;
    }
  }
}

// Ids must rise in the order of ids.sorted.
void SegmentReader::check_sorted() const {
  const auto sorted = segment_.sorted_rows;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const bool rises = sorted[i] < segment_.info.rows &&
                       (i == 0 || segment_.ids[sorted[i - 1]] < segment_.ids[sorted[i]]);
    if (!rises) reader_.refuse("ids.sorted", fmt::format("place {} is out of order", i));
  }
}

// Ids must rise in each list.
void SegmentReader::check_order() const {
  const char* section = segment_.info.has_ids != 0 ? "ids" : "positions";
  for (const ListRecord& record : segment_.lists.records()) {
    for (std::uint32_t i = 1; i < record.primaries; ++i) {
      const std::uint32_t row = record.first_row + i;
      if (segment_.id(row - 1) < segment_.id(row)) continue;
      reader_.refuse(section, fmt::format("row {} is out of order", row));
    }
  }
}

Segment SegmentReader::read(const OpenOptions& options) {
  const bool verify = options.verify;
  segment_.model = model_;
  read_info();
  read_lists();
  const SegmentInfo& info = segment_.info;
  segment_.blocks = reader_.array<std::uint8_t>("blocks", info.entries / kBlockEntries,
                                                block_bytes(model_->dim()));
  segment_.spilled =
      reader_.array<std::uint8_t>("spilled", info.spilled, spilled_bytes(model_->nlist()));
  segment_.rows = reader_.array<std::uint8_t>("rows", info.rows, model_->row_shape.bytes());
  if (model_->raw_tier() != RawTier::none) {
    segment_.raw =
        reader_.array<std::uint8_t>("raw", info.rows, raw_bytes(model_->raw_tier(), model_->dim()));
  }
  read_ids();
  segment_.columns = read_columns(reader_, segment_, verify);
  read_truth();
  read_tuning();
  if (verify) {
    check_spilled();
    check_sorted();
    check_order();
  }
  segment_.file_bytes = reader_.file().file_bytes();
  segment_.format_version = reader_.file().format_version();
  segment_.owner = reader_.owner();
  segment_.reads_ahead = options.read_ahead && loading_of(options) == Loading::mapped;
  advise();
  return std::move(segment_);
}

// A query looks up rows here and there; read around each, they would bring in most of the file. So
// would blocks where memory is short.
void SegmentReader::advise() const {
  reader_.file().advise(Access::random);
  for (const char* scanned : {"router.blk", "group.codes", "blocks"}) {
    if (segment_.reads_ahead && std::string_view(scanned) == "blocks") continue;
    if (reader_.has(scanned)) reader_.file().advise(scanned, Access::sequential);
  }
}

void write_segment(SectionSink& writer, const Segment& segment) {
  write_lists(writer, segment.info, segment.lists, *segment.model,
              column_bytes(segment.columns.get()));
  writer.add("blocks", std::as_bytes(segment.blocks), Need::required);
  writer.add("spilled", std::as_bytes(segment.spilled), Need::required);
  writer.add("rows", std::as_bytes(segment.rows), Need::required);
  if (segment.model->raw_tier() != RawTier::none) {
    writer.add("raw", std::as_bytes(segment.raw), Need::required);
  }
  write_ids(writer, segment);
  write_columns(writer, segment.columns.get());
}

void require_section(const SectionReader& reader, const char* section, const char* advice) {
  if (reader.has(section)) return;
  throw std::invalid_argument(
      fmt::format("{}: it has no section '{}': {}", reader.file().path(), section, advice));
}

}  // namespace

void write_lists(SectionSink& writer, const SegmentInfo& info, const ListDirectory& lists,
                 const TrainedModel& model, std::uint64_t column_bytes) {
  writer.add("segment", std::as_bytes(std::span(&info, 1)), Need::required);
  writer.add("lists", std::as_bytes(lists.records()), Need::required);
  if (lists.is_sparse()) {
    writer.add("list.numbers", std::as_bytes(lists.numbers()), Need::required);
  }
  const std::size_t row = model.row_shape.bytes() + raw_bytes(model.raw_tier(), model.dim()) +
                          (info.has_ids != 0 ? sizeof(std::int64_t) : 0) + sizeof(std::uint32_t);
  writer.expect(info.entries / kBlockEntries * block_bytes(model.dim()) +
                info.spilled * spilled_bytes(model.nlist()) + info.rows * row + column_bytes);
}

void write_ids(SectionSink& writer, const Segment& segment) {
  if (segment.info.has_ids == 0) {
    writer.add("positions", std::as_bytes(segment.positions), Need::required);
    return;
  }
  writer.add("ids", std::as_bytes(segment.ids), Need::required);
  writer.add("ids.sorted", std::as_bytes(segment.sorted_rows), Need::required);
}

void write_truth(SectionSink& writer, const Truth& truth) {
  if (truth.empty()) return;
  writer.add("truth", std::as_bytes(truth.distances));
  writer.add("truth.ids", std::as_bytes(truth.ids));
}

void write_tuning_section(SectionSink& writer, const Tuning& tuning) {
  if (tuning.queries > 0) writer.add("tuning", write_tuning(tuning));
}

void save_segment(const Segment& segment, const std::string& path, const BeforeCommit& ready) {
  SectionWriter writer(path);
  write_segment(writer, segment);
  write_truth(writer, segment.truth);
  if (ready) ready();
  writer.commit();
}

void save_index(const Segment& segment, const std::string& path, const BeforeCommit& ready) {
  SectionWriter writer(path);
  write_model(writer, *without_learn(*segment.model));
  write_segment(writer, segment);
  write_tuning_section(writer, segment.tuning);
  if (ready) ready();
  writer.commit();
}

Segment open_segment(const std::string& path, const std::shared_ptr<const TrainedModel>& model,
                     const OpenOptions& options, const std::function<bool(double)>& read) {
  SectionReader reader(path, loading_of(options));
  reader.file().require_known(kKnownSections);
  if (options.verify) reader.file().verify_all(read);
  require_section(reader, "segment", "name a segment that encode or merge wrote");
  return SegmentReader(reader, model).read(options);
}

Segment open_index(const std::string& path, const OpenOptions& options) {
  SectionReader reader(path, loading_of(options));
  reader.file().require_known(kKnownSections);
  if (options.verify) reader.file().verify_all();
  require_section(reader, "model",
                  "a segment is opened with its model, Index::open(model, segments)");
  require_section(reader, "segment", "a model alone has no vectors to search");
  const auto model = std::make_shared<const TrainedModel>(read_model(reader));
  return SegmentReader(reader, model).read(options);
}

}  // namespace obliq
