#include "tools/keys.h"

#include <fmt/core.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>

namespace obliq::tools {
namespace {

[[noreturn]] void refuse(const std::string& path, const char* operation) {
  throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                          fmt::format("{}: cannot {}", path, operation));
}

}  // namespace

std::vector<std::string> read_keys(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "open the ids");
  std::vector<std::string> keys;
  for (std::string line; std::getline(file, line);) {
    if (line.ends_with('\r')) line.pop_back();
    keys.push_back(line);
  }
  if (file.bad()) refuse(path, "read the ids");
  return keys;
}

std::vector<std::string> read_keys_of(const std::string& vectors, std::size_t rows,
                                      const std::string& path) {
  if (path.empty()) return {};
  std::vector<std::string> keys = read_keys(path);
  if (keys.size() == rows) return keys;
  throw std::invalid_argument(
      fmt::format("{} holds {} lines, {} holds {} vectors: give one id per "
                  "vector",
                  path, keys.size(), vectors, rows));
}

std::vector<std::string_view> views_of(std::span<const std::string> keys) {
  return {keys.begin(), keys.end()};
}

void write_numbered_keys(const Collection& collection, const std::string& path) {
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  collection.for_each_key(
      [&](std::int64_t number, std::string_view key) { file << number << '\t' << key << '\n'; });
  if (!file.flush()) refuse(path, "write the ids");
}

void require_ids(const Collection& collection, const std::string& directory, IdType ids) {
  if (collection.options().ids == ids) return;
  throw std::invalid_argument(
      ids == IdType::int64
          ? fmt::format("the ids of {} are strings: give them by --keys", directory)
          : fmt::format("the ids of {} are numbers: give them in place of --keys, or make another "
                        "collection",
                        directory));
}

}  // namespace obliq::tools
