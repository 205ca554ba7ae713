// First the lists are counted and placed; then the sections are written one after the other, each
// list by list. Where a row lies in the merged segment follows from its list and the rank of its id
// there, so that no table of all rows is needed.
#include "index/build/merge.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>

#include "index/build/block_reader.h"
#include "index/build/block_stream.h"
#include "index/build/foreign_rows.h"
#include "index/build/list_order.h"
#include "index/build/merge_columns.h"
#include "index/build/piece_sink.h"
#include "index/segment/id_lookup.h"
#include "index/segment/model_file.h"
#include "index/segment/raw_tier.h"
#include "index/segment/segment_file.h"
#include "index/segment/segment_set.h"
#include "index/segment/truth.h"
#include "index/tune/tuning.h"

namespace obliq {
namespace {

class Merger {
 public:
  Merger(const std::shared_ptr<const TrainedModel>& model, const MergeSources& sources,
         const MergePlan& plan, SectionSink& file)
      : model_(model),
        sources_(sources),
        plan_(plan),
        file_(file),
        records_(model->nlist()),
        columns_(
            sources,
            [this](const ColumnMerger::Visit& visit) {
              for_each_row(.99, .99, [&](const SourceRow& row, std::uint32_t) { visit(row); });
            },
            file) {}

  void merge();
  /// What was written, as it lies where it was written to.
  Segment written();
  /// Its columns, which `owner` keeps.
  std::shared_ptr<const ColumnTable> written_columns(std::shared_ptr<const void> owner) const {
    return columns_.written(info_.rows, table_.directory().records().size(), std::move(owner));
  }
  /// What that needs besides.
  ListTable take_table() { return std::move(table_); }

 private:
  bool in_range(std::uint32_t list) const {
    return list >= plan_.first_list && list < plan_.end_list;
  }
  void count_lists();
  void find_foreign();
  SegmentInfo info(std::uint64_t entries) const;
  void rows_of(std::uint32_t list, std::vector<SourceRow>& rows) const;
  std::uint32_t new_row(std::uint32_t list, std::int64_t id) const;
  const ListRecord& source_record(const SourceRow& row, std::uint32_t list) const {
    return *sources_.segment(row.source).lists.find(list);
  }

  template <typename Write>
  void write_section(const char* name, Write write);
  template <typename Visit>
  void for_each_row(double begin, double end, Visit visit) const;
  template <typename Write>
  void write_rows(const char* name, double begin, double end, Write write);
  void write_blocks(std::uint64_t entries);
  void write_spilled_entries();
  void write_all_rows();
  void write_sorted();
  void finish();
  Truth joined_truth();
  void tune(const Truth& truth);

  const std::shared_ptr<const TrainedModel>& model_;
  const MergeSources& sources_;
  const MergePlan& plan_;
  SectionSink& file_;
  std::vector<ListRecord> records_;
  ForeignRows foreign_;
  ListTable table_;
  SegmentInfo info_;
  TruthBytes truth_;
  ColumnMerger columns_;
};

void Merger::count_lists() {
  const std::vector<bool> stored = sources_.stored_lists();
  for (std::uint32_t list = 0; list < stored.size(); ++list) {
    if (stored[list] && in_range(list)) records_[list] = sources_.sum_of(list);
  }
  find_foreign();
  for (std::size_t i = 0; i < foreign_.size(); ++i) {
    const std::uint32_t list = foreign_.list_of(i);
    ListRecord& record = records_[list];
    if (record.primaries == 0) {
      record = sources_.sum_of(list);
      record.count = record.primaries = 0;
    }
    ++record.primaries;
  }
}

// Rows that spilled entries of the range name outside it.
void Merger::find_foreign() {
  if (plan_.first_list == 0 && plan_.end_list == records_.size()) return;
  std::vector<SourceSpilled> spilled;
  for (std::uint32_t list = plan_.first_list; list < plan_.end_list; ++list) {
    sources_.spilled_of(list, spilled);
    for (const SourceSpilled& entry : spilled) {
      if (!in_range(entry.primary_list)) foreign_.add(entry.primary_list, entry.row);
    }
  }
  foreign_.sort();
}

// Sums of a cut by ranges go with that of the first list; the truth is in each, and joined once.
SegmentInfo Merger::info(std::uint64_t entries) const {
  SegmentInfo info;
  info.model = model_->info.id;
  info.entries = entries;
  info.first_list = plan_.first_list;
  info.end_list = plan_.end_list;
  info.has_ids = sources_.has_ids() ? 1 : 0;
  for (const ListRecord& record : records_) {
    info.rows += record.primaries;
    info.spilled += record.spilled();
  }
  if (info.rows >= kNoSlot || info.spilled >= kNoSlot) {
    throw std::invalid_argument(
        fmt::format("{} vectors with {} spilled entries are too many for one segment: merge them "
                    "in ranges of lists",
                    info.rows, info.spilled));
  }
  info.n = info.rows - foreign_.size();
  for (std::size_t s = 0; s < sources_.size() && plan_.first_list == 0; ++s) {
    info.encoded += sources_.segment(s).info.encoded;
    info.drift += sources_.segment(s).info.drift;
  }
  return info;
}

// Of the merged list, by rising id.
void Merger::rows_of(std::uint32_t list, std::vector<SourceRow>& rows) const {
  if (in_range(list)) {
    sources_.rows_of(list, rows);
    return;
  }
  foreign_.rows_of(list, rows);
}

std::uint32_t Merger::new_row(std::uint32_t list, std::int64_t id) const {
  const std::uint32_t first = records_[list].first_row;
  if (in_range(list)) return first + sources_.rank(list, id);
  return first + foreign_.rank(list, id);
}

template <typename Write>
void Merger::write_section(const char* name, Write write) {
  file_.begin(name, Need::required);
  PieceSink sink(file_);
  write(sink);
  sink.flush();
}

void Merger::write_blocks(std::uint64_t entries) {
  std::vector<BlockReader> readers;
  for (std::size_t s = 0; s < sources_.size(); ++s) readers.emplace_back(sources_.segment(s));
  const std::vector<std::uint32_t> order = in_stream_order(records_);
  std::vector<SourceRow> rows;
  std::vector<SourceSpilled> spilled;
  write_section("blocks", [&](PieceSink& sink) {
    BlockStream stream(model_->dim(), [&](auto bytes) { sink.append(bytes); });
    for (std::size_t i = 0; i < order.size(); ++i) {
      const std::uint32_t list = order[i];
      const ListRecord& record = records_[list];
      if (i % 256 == 0) {
        report(plan_.progress, "merge",
               .4 * static_cast<double>(i) / static_cast<double>(order.size()));
      }
      if (record.stored() == 0) continue;
      std::uint64_t place = record.first;
      const auto put = [&](const SourceRow& row, std::uint64_t entry, const ListRecord& from) {
        BlockReader& reader = readers[row.source];
        stream.put(place++, reader.signs(entry), change_units(reader.factors(entry), from, record));
      };
      rows_of(list, rows);
      for (const SourceRow& row : rows) {
        const ListRecord& from = source_record(row, list);
        put(row, primary_entry(from, row.row), from);
      }
      if (!in_range(list)) continue;
      sources_.spilled_of(list, spilled);
      for (const SourceSpilled& entry : spilled) {
        const ListRecord& from = source_record(entry.row, list);
        put(entry.row, from.first + entry.entry, from);
      }
    }
    stream.finish(entries);
  });
}

void Merger::write_spilled_entries() {
  std::vector<SourceSpilled> spilled;
  std::vector<std::uint8_t> bytes(spilled_bytes(records_.size()));
  write_section("spilled", [&](PieceSink& sink) {
    for (std::uint32_t list = plan_.first_list; list < plan_.end_list; ++list) {
      if (records_[list].spilled() == 0) continue;
      sources_.spilled_of(list, spilled);
      for (const SourceSpilled& entry : spilled) {
        write_spilled({new_row(entry.primary_list, entry.row.id), entry.primary_list},
                      records_.size(), bytes.data());
        sink.append(bytes);
      }
    }
  });
}

// Calls visit(row, list) for all rows in their order.
template <typename Visit>
void Merger::for_each_row(double begin, double end, Visit visit) const {
  std::vector<SourceRow> rows;
  for (std::uint32_t list = 0; list < records_.size(); ++list) {
    if (list % 256 == 0) {
      const double share = static_cast<double>(list) / static_cast<double>(records_.size());
      report(plan_.progress, "merge", begin + (end - begin) * share);
    }
    if (records_[list].primaries == 0) continue;
    rows_of(list, rows);
    for (const SourceRow& row : rows) visit(row, list);
  }
}

// Calls write(row, list, sink) for the same.
template <typename Write>
void Merger::write_rows(const char* name, double begin, double end, Write write) {
  write_section(name, [&](PieceSink& sink) {
    for_each_row(begin, end,
                 [&](const SourceRow& row, std::uint32_t list) { write(row, list, sink); });
  });
}

void Merger::write_all_rows() {
  const RowShape& shape = model_->row_shape;
  std::vector<std::uint8_t> bytes(shape.bytes());
  write_rows("rows", .4, .8, [&](const SourceRow& row, std::uint32_t list, PieceSink& sink) {
    std::copy_n(sources_.segment(row.source).rows.data() + row.row * bytes.size(), bytes.size(),
                bytes.data());
    change_row_units(shape, source_record(row, list), records_[list], bytes.data());
    sink.append(bytes);
  });
  if (model_->raw_tier() != RawTier::none) {
    const std::size_t size = raw_bytes(model_->raw_tier(), model_->dim());
    write_rows("raw", .8, .9, [&](const SourceRow& row, std::uint32_t, PieceSink& sink) {
      sink.append(sources_.segment(row.source).raw.subspan(row.row * size, size));
    });
  }
  if (sources_.has_ids()) {
    write_rows("ids", .9, .95, [&](const SourceRow& row, std::uint32_t, PieceSink& sink) {
      sink.append_value(row.id);
    });
    write_sorted();
    return;
  }
  write_rows("positions", .9, .99, [&](const SourceRow& row, std::uint32_t, PieceSink& sink) {
    sink.append_value(static_cast<std::uint32_t>(row.id));
  });
}

void Merger::write_sorted() {
  write_section("ids.sorted", [&](PieceSink& sink) {
    sources_.for_each_by_id([&](const SourceRow& row, std::uint32_t list) {
      if (in_range(list)) sink.append_value(new_row(list, row.id));
    });
  });
}

Truth Merger::joined_truth() {
  std::vector<Truth> parts;
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    const Segment& segment = sources_.segment(s);
    if (segment.info.rows == 0 && segment.truth.empty()) continue;
    if (segment.truth.empty()) return {};
    parts.push_back(segment.truth);
  }
  truth_ = join_truth(parts);
  return truth_.view();
}

std::span<const std::uint8_t> unsigned_bytes(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

template <typename T>
std::span<const T> values(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

Segment Merger::written() {
  Segment segment;
  segment.model = model_;
  segment.info = info_;
  segment.lists = table_.directory();
  segment.blocks = unsigned_bytes(file_.written("blocks"));
  segment.spilled = unsigned_bytes(file_.written("spilled"));
  segment.rows = unsigned_bytes(file_.written("rows"));
  if (model_->raw_tier() != RawTier::none) segment.raw = unsigned_bytes(file_.written("raw"));
  if (sources_.has_ids()) {
    segment.ids = values<std::int64_t>(file_.written("ids"));
    segment.sorted_rows = values<std::uint32_t>(file_.written("ids.sorted"));
  } else {
    segment.positions = values<std::uint32_t>(file_.written("positions"));
  }
  return segment;
}

void Merger::tune(const Truth& truth) {
  Segment segment = written();
  segment.truth = truth;
  write_tuning_section(
      file_, tune_from_truth(SegmentSet(model_, {segment}), {plan_.threads, plan_.progress}));
}

void Merger::finish() {
  report(plan_.progress, "merge", .99);
  if (!plan_.as_index) {
    write_truth(file_, joined_truth());
  } else if (plan_.tune) {
    const Truth truth = joined_truth();
    if (!truth.empty()) tune(truth);
  } else {
    write_tuning_section(file_, plan_.known);
  }
}

void Merger::merge() {
  count_lists();
  const std::uint64_t entries = place_records(records_);
  info_ = info(entries);
  table_ = make_table(records_);
  if (plan_.as_index) write_model(file_, *without_learn(*model_));
  write_lists(file_, info_, table_.directory(), *model_, column_bytes_of(sources_));
  write_blocks(entries);
  write_spilled_entries();
  write_all_rows();
  columns_.write(table_.directory().row_ends());
  finish();
}

}  // namespace

std::size_t merge_bytes(const TrainedModel& model, std::size_t segments) {
  constexpr std::size_t kPieces = std::size_t{4} << 20;
  const std::size_t each =
      kBlockEntries * plane_bytes(model.dim()) + model.learn_ids.size() * Truth::kNeighbours * 12;
  return kPieces + 128 * model.nlist() + segments * (each + 4096);
}

void merge_segments(const std::shared_ptr<const TrainedModel>& model,
                    const std::vector<MergeSource>& sources, const MergePlan& plan,
                    const std::string& path) {
  SectionWriter file(path);
  Merger(model, MergeSources(sources, plan.deleted, plan.keep_last), plan, file).merge();
  if (plan.ready) plan.ready();
  file.commit();
}

Segment merge_in_memory(const std::shared_ptr<const TrainedModel>& model,
                        const std::vector<MergeSource>& sources) {
  struct Owner {
    SectionMemory sections;
    ListTable table;
  };
  const auto owner = std::make_shared<Owner>();
  MergePlan plan;
  plan.end_list = static_cast<std::uint32_t>(model->nlist());
  plan.as_index = plan.tune = false;
  const MergeSources all(sources, {}, false);
  Merger merger(model, all, plan, owner->sections);
  merger.merge();
  Segment segment = merger.written();
  segment.columns = merger.written_columns(owner);
  owner->table = merger.take_table();
  segment.lists = owner->table.directory();
  segment.owner = owner;
  return segment;
}

}  // namespace obliq
