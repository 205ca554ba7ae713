// A process that is to be killed: makes the changes of a seed (crash_script.h) in a directory, and
// tells on its output which one begins and which one was made, a line each.
//
//     crash_writer DIRECTORY SEED every|none
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>

#include "tests/collection/crash_script.h"

namespace obliq::testing {
namespace {

void tell(char what, std::size_t number) {
  const std::string line = fmt::format("{}{}\n", what, number);
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(3);
}

void make(CrashChange change, const std::string& path, const CollectionAccess& access,
          std::unique_ptr<Collection>& collection) {
  const MatrixView<std::int64_t> ids = {change.ids.data(), change.ids.size(), 1};
  switch (change.kind) {
    case CrashChange::upsert:
      return collection->upsert(change.vectors.view(), ids, crash_columns(change.marks));
    case CrashChange::update:
      keep_known(change, [&](std::int64_t id) { return collection->contains(id); });
      return collection->update(change.ids, crash_columns(change.marks));
    case CrashChange::remove:
      collection->remove(change.ids);
      return;
    case CrashChange::compact:
      return collection->compact();
    case CrashChange::train:
      if (collection->count() >= 1000) collection->train();
      return;
    case CrashChange::export_index:
      if (collection->count() > 0) collection->export_index(crash_export(path));
      return;
    case CrashChange::open_anew:
      collection.reset();
      collection = std::make_unique<Collection>(Collection::open(path, access));
  }
}

void write(const std::string& path, std::uint64_t seed, const CollectionAccess& access) {
  auto collection = std::make_unique<Collection>(Collection::open(path, access));
  CrashScript script(seed);
  for (std::size_t i = 0;; ++i) {
    const CrashChange change = script.next();
    tell('b', i);
    make(change, path, access, collection);
    tell('a', i);
  }
}

}  // namespace
}  // namespace obliq::testing

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  try {
    obliq::CollectionAccess access;
    access.durability = obliq::parse_durability(argv[3]);
    access.threads = 1;
    obliq::testing::write(argv[1], std::strtoull(argv[2], nullptr, 10), access);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crash_writer: %s\n", error.what());
    return 1;
  }
}
