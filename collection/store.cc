// A commit writes new files first, each synced, and the manifest that names them last: whenever the
// process dies, the newest manifest names only files that are whole. Files are removed after that.
#include "collection/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "collection/column_schema.h"
#include "collection/part_keys.h"
#include "index/build/merge.h"
#include "index/segment/model_file.h"
#include "index/segment/segment_file.h"
#include "obliq/progress.h"
#include "storage/file_error.h"
#include "storage/section_file.h"

namespace obliq {
namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& reason) {
  throw std::runtime_error(fmt::format("{}: {}; the collection is damaged", path, reason));
}

std::function<bool(double)> check_of(const FileCheck& check, const std::string& path) {
  if (check == nullptr) return {};
  return [&check, path](double share) {
    check(path, share);
    return true;
  };
}

std::shared_ptr<const TrainedModel> open_named_model(const std::string& path,
                                                     const FileCheck& check) {
  try {
    refuse_link(path);
    return open_model(path, {.verify = check != nullptr}, check_of(check, path));
  } catch (const std::invalid_argument&) {  // no model
    refuse_file(path, "it is not the model that the manifest names");
  }
}

// Such a file, with those deleted rows and no more.
const Part* find_file(const Snapshot& known, const SegmentEntry& entry) {
  for (const Part& part : known.parts()) {
    const std::size_t deleted = part.deleted == nullptr ? 0 : part.deleted->count();
    if (part.file == entry.number && part.logged == 0 && deleted == entry.deleted &&
        part.deleted_version == entry.deleted_version) {
      return &part;
    }
  }
  return nullptr;
}

// 0 where nobody can tell: for statistics.
std::uint64_t bytes_of_file(const std::string& path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

std::shared_ptr<const KeyTable> open_keys(const CollectionDirectory& directory,
                                          const SegmentEntry& entry, const ManifestInfo& info,
                                          const FileCheck& check) {
  const std::string path = directory.keys(entry.number);
  refuse_link(path);
  if (check_of_file(path) != entry.keys_check) {
    refuse_file(path, "it is not the file that the manifest names");
  }
  if (check != nullptr) {
    KeyTable::verify(path, entry.rows, info.collection, check_of(check, path));
  }
  return KeyTable::open(path, entry.rows, info.collection);
}

// Whether a file that failed to be written may have its name all the same.
bool may_be_there(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::symlink_status(path, error).type();
  return type != std::filesystem::file_type::not_found &&
         type != std::filesystem::file_type::directory;
}

}  // namespace

Part open_part(const CollectionDirectory& directory, const SegmentEntry& entry,
               const PartKind& kind, const FileCheck& check) {
  const ManifestInfo& info = kind.info;
  const std::string path = directory.segment(entry.number);
  refuse_link(path);
  constexpr const char* kOther = "it is not the file that the manifest names";
  Part part;
  try {
    part.segment =
        open_segment(path, kind.model, {.verify = check != nullptr}, check_of(check, path));
  } catch (const std::invalid_argument&) {  // no segment, or one of another model
    refuse_file(path, kOther);
  }
  if (part.segment.file_bytes != entry.bytes || part.segment.info.rows != entry.rows ||
      check_of_file(path) != entry.check) {
    refuse_file(path, kOther);
  }
  const std::string fault = fault_of_columns(kind.schema, part.segment.columns.get());
  if (!fault.empty()) refuse_file(path, fault);
  part.file = entry.number;
  if (info.ids != 0) {
    if (part.segment.sorted_rows.size() != entry.rows) refuse_file(path, "its ids have no keys");
    part.keys = open_keys(directory, entry, info, check);
  }
  part.deleted_version = entry.deleted_version;
  part.deleted_there = entry.deleted;
  if (entry.deleted_version == 0) return part;
  const std::string bitmap = directory.deleted(entry.number, entry.deleted_version);
  refuse_link(bitmap);
  if (check_of_file(bitmap) != entry.deleted_check) {
    refuse_file(bitmap, kOther);
  }
  part.deleted = read_deleted(bitmap, entry.rows, entry.deleted);
  return part;
}

Part open_logged_part(const CollectionDirectory& directory, const SegmentRecord& record,
                      const PartKind& kind, const FileCheck& check) {
  SegmentEntry entry;
  entry.number = record.number;
  entry.bytes = record.bytes;
  entry.rows = record.rows;
  entry.check = record.check;
  entry.keys_check = record.keys_check;
  return open_part(directory, entry, kind, check);
}

void make_folder(const std::string& path) {
  std::error_code error;
  if (std::filesystem::create_directory(path, error)) sync_folder_of(path);
  if (error) throw_system_error(path, "make the directory", error.value());
  for (const std::string& name : CollectionDirectory(path).names()) {
    if (name == "LOCK" || name.starts_with(".obliq-tmp-")) continue;
    throw std::invalid_argument(fmt::format(
        "{}: it is not empty: open the collection there, or name another directory", path));
  }
}

void CollectionStore::continue_from(const Manifest& manifest) {
  if (info_.collection == manifest.info.collection) {
    take_changing(manifest.info);
    info_.next_number = manifest.info.next_number;
  } else {
    info_ = manifest.info;
  }
  history_ = manifest.history;
  schema_ = manifest.schema;
  failure_.clear();
  kept_.clear();
  statistics_->set_before(history_.all_counters());
}

void CollectionStore::skip_numbers(std::uint64_t number) {
  info_.next_number = std::max(info_.next_number, number + 1);
}

void CollectionStore::save(const TrainedModel& model) const {
  if (in_memory()) return;
  const std::string path = directory_.model(model.info.id);
  save_model(model, path);
  statistics_->count(Counter::trained_bytes, bytes_of_file(path));
}

void CollectionStore::verify(const std::vector<Part>& parts) const {
  for (const Part& part : parts) {
    if (part.file == 0) continue;
    (void)open_segment(directory_.segment(part.file), part.segment.model, {.verify = true});
    if (part.keys == nullptr) continue;
    KeyTable::verify(directory_.keys(part.file), part.rows(), info_.collection);
  }
}

Part CollectionStore::merge(const std::shared_ptr<const TrainedModel>& model,
                            const std::vector<MergeSource>& sources, std::uint64_t number,
                            const Progress& progress) const {
  Part part;
  if (in_memory()) {
    part.segment = merge_in_memory(model, sources);
    return part;
  }
  MergePlan plan;
  plan.end_list = static_cast<std::uint32_t>(model->nlist());
  plan.as_index = plan.tune = false;
  plan.progress = progress;
  const std::string path = directory_.segment(number);
  merge_segments(model, sources, plan, path);
  part.segment = open_segment(path, model, {});
  part.file = number;
  return part;
}

void CollectionStore::add_keys(Part& part, std::span<const Part> from) const {
  if (info_.ids == 0) return;
  const KeySource keys = keys_of(part.segment, from);
  if (part.file == 0) {
    part.keys = KeyTable::make(part.rows(), info_.collection, keys);
    return;
  }
  const std::string path = directory_.keys(part.file);
  SectionWriter writer(path);
  write_keys(writer, part.rows(), info_.collection, keys);
  writer.commit();
  part.keys = KeyTable::open(path, part.rows(), info_.collection);
}

SegmentEntry CollectionStore::entry_of(const Part& part) const {
  SegmentEntry entry;
  entry.number = part.file;
  entry.bytes = part.segment.file_bytes;
  entry.rows = part.segment.info.rows;
  entry.check = check_of_file(directory_.segment(part.file));
  if (part.keys != nullptr) entry.keys_check = check_of_file(directory_.keys(part.file));
  return entry;
}

SegmentEntry CollectionStore::entry_with_deleted(Part& part) {
  SegmentEntry entry = entry_of(part);
  if (part.deleted == nullptr) return entry;
  if (part.deleted_version == 0 || part.deleted_there != part.deleted->count()) {
    const std::uint64_t version = take_number();
    const std::string bitmap = directory_.deleted(part.file, version);
    write_deleted(bitmap, *part.deleted);
    statistics_->count(Counter::manifest_bytes, bytes_of_file(bitmap));
    part.deleted_version = version;
    part.deleted_there = part.deleted->count();
  }
  entry.deleted = part.deleted_there;
  entry.deleted_version = part.deleted_version;
  entry.deleted_check = check_of_file(directory_.deleted(part.file, part.deleted_version));
  return entry;
}

Manifest CollectionStore::prepare(std::vector<Part>& parts, const ModelInUse& model,
                                  const KnownTuning& tuned, std::int64_t next_id,
                                  std::uint64_t sequence, std::uint64_t first_log) {
  Manifest manifest;
  for (Part& part : parts) {
    if (part.file == 0 || part.logged > sequence) continue;
    part.logged = 0;
    manifest.segments.push_back(entry_with_deleted(part));
  }
  manifest.info = info_;
  manifest.info.version += 1;
  manifest.info.sequence = sequence;
  manifest.info.first_log = first_log;
  manifest.info.next_id = next_id;
  manifest.info.model = model.model == nullptr ? 0 : model.model->info.id;
  manifest.info.is_flat = model.is_flat ? 1 : 0;
  manifest.tuning = tuned.tuning;
  manifest.info.tuned_for = tuned.n;
  manifest.schema = schema_;
  manifest.history = history_;
  manifest.history.touched = tuned.touched;
  return manifest;
}

void CollectionStore::commit(Manifest manifest) {
  require_sound();
  manifest.history.set_counters(statistics_->of_life());
  if (!in_memory()) {
    try {
      write_manifest(directory_, manifest);
    } catch (const std::exception& error) {
      if (may_be_there(directory_.manifest(manifest.info.version))) failure_ = error.what();
      throw;
    }
  }
  take_changing(manifest.info);
  schema_ = manifest.schema;
  std::erase_if(kept_, [&](const auto& kept) {
    return kept.second != 0 && kept.second <= manifest.info.sequence;
  });
  history_ = manifest.history;
  if (in_memory()) return;
  statistics_->count(Counter::manifest_bytes, bytes_of_file(directory_.manifest(info_.version)));
  remove_unneeded(manifest.segments);
}

// Not all of it: others read what never changes at the same time.
void CollectionStore::take_changing(const ManifestInfo& info) {
  info_.version = info.version;
  info_.sequence = info.sequence;
  info_.first_log = info.first_log;
  info_.next_id = info.next_id;
  info_.model = info.model;
  info_.is_flat = info.is_flat;
  info_.tuned_for = info.tuned_for;
}

void CollectionStore::require_sound() const {
  if (failure_.empty()) return;
  throw std::runtime_error("a commit failed half way, open the collection anew: " + failure_);
}

// The commit counts by now. What stays goes with the next one.
void CollectionStore::remove_unneeded(const std::vector<SegmentEntry>& segments) const noexcept {
  try {
    directory_.remove_others(needed(segments));
  } catch (...) {  // NOLINT(bugprone-empty-catch): a file more does no harm
  }
}

// The files of a version, its manifest last.
std::set<std::string> CollectionStore::needed(const std::vector<SegmentEntry>& segments) const {
  std::set<std::string> files = {directory_.manifest(info_.version)};
  if (info_.model != 0) files.insert(directory_.model(info_.model));
  for (const SegmentEntry& entry : segments) {
    files.insert(directory_.segment(entry.number));
    if (info_.ids != 0) files.insert(directory_.keys(entry.number));
    if (entry.deleted_version != 0) {
      files.insert(directory_.deleted(entry.number, entry.deleted_version));
    }
  }
  for (const auto& kept : kept_) {
    files.insert(directory_.segment(kept.first));
    if (info_.ids != 0) files.insert(directory_.keys(kept.first));
  }
  for (const std::uint64_t log : directory_.logs_from(info_.first_log)) {
    files.insert(directory_.log(log));
  }
  return files;
}

void while_files_change(const CollectionDirectory& directory, const std::function<void()>& read) {
  for (;;) {
    const std::uint64_t version = directory.newest_manifest();
    try {
      return read();
    } catch (const Cancelled&) {
      throw;
    } catch (const std::exception&) {
      if (directory.newest_manifest() == version) throw;
    }
  }
}

StoredCollection open_stored(const CollectionDirectory& directory, const FileCheck& check,
                             const Snapshot* known) {
  const std::uint64_t version = directory.newest_manifest();
  if (version == 0) {
    throw std::runtime_error(
        fmt::format("{}: it holds no collection: make one with create", directory.path()));
  }
  StoredCollection stored;
  stored.manifest = read_manifest(directory, version);
  const ManifestInfo& info = stored.manifest.info;
  if (info.model == 0) return stored;
  const std::string model = directory.model(info.model);
  if (known != nullptr && known->model() != nullptr && known->model()->info.id == info.model) {
    stored.model = known->used();
  } else {
    known = nullptr;
    stored.model.model = open_named_model(model, check);
  }
  stored.model.is_flat = info.is_flat != 0;
  if (stored.model.model->info.id != info.model || stored.model.model->dim() != info.dim) {
    refuse_file(model, "it is not the model that the manifest names");
  }
  const PartKind kind = {info, *stored.manifest.schema, stored.model.model};
  for (const SegmentEntry& entry : stored.manifest.segments) {
    const Part* part = known == nullptr ? nullptr : find_file(*known, entry);
    stored.parts.push_back(part != nullptr ? *part : open_part(directory, entry, kind, check));
  }
  return stored;
}

}  // namespace obliq
