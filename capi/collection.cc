// Collections: made, opened, kept in order, and what they tell of themselves.
#include "obliq/c/collection.h"

#include <limits>
#include <utility>

#include "capi/arguments.h"
#include "capi/build_arguments.h"
#include "capi/guard.h"
#include "capi/handles.h"

namespace obliq::capi {
namespace {

obliq_collection_options collection_defaults() {
  const CollectionOptions defaults;
  obliq_collection_options options = {};
  options.size = sizeof options;
  options.raw = OBLIQ_RAW_UNSET;
  options.spill = -1;
  options.seed = defaults.seed;
  options.train_at = defaults.train_at;
  return options;
}

obliq_access_options access_defaults() {
  obliq_access_options options = {};
  options.size = sizeof options;
  options.sync_interval = CollectionAccess{}.sync_interval;
  return options;
}

CollectionOptions collection_options_of(const obliq_collection_options* given) {
  required(given, "options, which have the dim,");
  obliq_collection_options read = collection_defaults();
  read_options(given, read, "collection options");
  CollectionOptions options;
  options.dim = read.dim;
  options.metric = metric_of(read.metric);
  const Codes codes = codes_of(read.preset, read.quantizer, read.raw, read.spill);
  options.quantizer = codes.quantizer;
  options.raw = codes.raw;
  options.spill = codes.spill;
  options.seed = read.seed;
  options.train_at = read.train_at;
  options.ids = read.string_ids != 0 ? IdType::string : IdType::int64;
  if (read.schema != nullptr) {
    for (const ColumnValues& column : read.schema->columns) {
      options.columns.push_back(column.spec());
    }
  }
  return options;
}

CollectionAccess access_of(const obliq_access_options* given) {
  obliq_access_options read = access_defaults();
  read_options(given, read, "access options");
  require_enum(read.durability, OBLIQ_DURABLE_EVERY, OBLIQ_DURABLE_NONE, "durability");
  return {.read_only = read.read_only != 0,
          .follow = read.follow,
          .durability = static_cast<Durability>(read.durability),
          .sync_interval = read.sync_interval,
          .threads = read.threads,
          .wait_limit = read.wait_limit,
          .background_rate = read.background_rate};
}

}  // namespace
}  // namespace obliq::capi

using obliq::Collection;
using obliq::capi::access_of;
using obliq::capi::give;
using obliq::capi::guard;
using obliq::capi::progress_of;
using obliq::capi::required;
using obliq::capi::text_of;

void obliq_collection_options_init(obliq_collection_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::collection_defaults());
}

void obliq_access_options_init(obliq_access_options* options, size_t size) {
  obliq::capi::init_options(options, size, obliq::capi::access_defaults());
}

obliq_status obliq_collection_create(const char* path, const obliq_collection_options* options,
                                     const obliq_access_options* access, obliq_collection** out) {
  return guard([&] {
    required(out, "out");
    give(out, Collection::create(std::string(text_of(path, "path")),
                                 obliq::capi::collection_options_of(options), access_of(access)));
  });
}

obliq_status obliq_collection_open(const char* path, const obliq_access_options* access,
                                   obliq_collection** out) {
  return guard([&] {
    required(out, "out");
    give(out, Collection::open(std::string(text_of(path, "path")), access_of(access)));
  });
}

obliq_status obliq_collection_in_memory(const obliq_collection_options* options,
                                        const obliq_access_options* access,
                                        obliq_collection** out) {
  return guard([&] {
    required(out, "out");
    give(out,
         Collection::in_memory(obliq::capi::collection_options_of(options), access_of(access)));
  });
}

obliq_status obliq_collection_close(obliq_collection* collection) {
  return guard([&] { required(collection, "collection").collection.close(); });
}

void obliq_collection_free(obliq_collection* collection) { obliq::capi::take_back(collection); }

obliq_status obliq_collection_sync(obliq_collection* collection) {
  return guard([&] { required(collection, "collection").collection.sync(); });
}

obliq_status obliq_collection_wait(obliq_collection* collection) {
  return guard([&] { required(collection, "collection").collection.wait(); });
}

obliq_status obliq_collection_train(obliq_collection* collection, obliq_progress progress,
                                    void* progress_user) {
  return guard([&] {
    required(collection, "collection").collection.train(progress_of(progress, progress_user));
  });
}

obliq_status obliq_collection_compact(obliq_collection* collection, obliq_progress progress,
                                      void* progress_user) {
  return guard([&] {
    required(collection, "collection").collection.compact(progress_of(progress, progress_user));
  });
}

obliq_status obliq_collection_export_index(const obliq_collection* collection, const char* path) {
  return guard([&] {
    required(collection, "collection").collection.export_index(std::string(text_of(path, "path")));
  });
}

obliq_status obliq_collection_import_index(obliq_collection* collection, const char* path,
                                           obliq_progress progress, void* progress_user,
                                           size_t* added) {
  return guard([&] {
    const std::size_t count = required(collection, "collection")
                                  .collection.import_index(std::string(text_of(path, "path")),
                                                           progress_of(progress, progress_user));
    if (added != nullptr) *added = count;
  });
}

obliq_status obliq_collection_backup(const obliq_collection* collection, const char* folder,
                                     obliq_progress progress, void* progress_user) {
  return guard([&] {
    required(collection, "collection")
        .collection.backup(std::string(text_of(folder, "folder")),
                           progress_of(progress, progress_user));
  });
}

obliq_status obliq_collection_verify(const obliq_collection* collection, double bytes_per_second,
                                     obliq_progress progress, void* progress_user) {
  return guard([&] {
    required(collection, "collection")
        .collection.verify({.bytes_per_second = bytes_per_second,
                            .progress = progress_of(progress, progress_user)});
  });
}

obliq_status obliq_collection_refresh(obliq_collection* collection, int32_t* changed) {
  return guard([&] {
    const bool is_new = required(collection, "collection").collection.refresh();
    if (changed != nullptr) *changed = is_new ? 1 : 0;
  });
}
