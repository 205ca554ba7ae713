// Folders, whole files and resealed damage for the tests of storage/.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "storage/section_file.h"
#include "storage/temporary_folder.h"

namespace obliq {

using Bytes = std::vector<std::byte>;

/// The number of files in a folder.
inline std::size_t file_count(const TemporaryFolder& folder) {
  using std::filesystem::directory_iterator;
  return static_cast<std::size_t>(
      std::distance(directory_iterator(folder.path()), directory_iterator()));
}

inline Bytes read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  Bytes bytes(text.size());
  std::ranges::transform(text, bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  return bytes;
}

inline void write_bytes(const std::string& path, const Bytes& bytes) {
  std::filesystem::remove(path);  // truncating instead makes some file systems wait for the disk
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

inline void write_sections(const std::string& path,
                           const std::vector<std::pair<std::string, Bytes>>& sections) {
  SectionWriter writer(path);
  for (const auto& [name, bytes] : sections) writer.add(name, bytes);
  writer.commit();
}

}  // namespace obliq
