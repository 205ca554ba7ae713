// Ids that are strings, in files of text: one a line.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "obliq/collection.h"

namespace obliq::tools {

/// The lines of a text file, without their ends. Throws std::system_error where it cannot be read.
std::vector<std::string> read_keys(const std::string& path);
/// The same of vectors of a file. Throws std::invalid_argument for another number of lines.
std::vector<std::string> read_keys_of(const std::string& vectors, std::size_t rows,
                                      const std::string& path);
std::vector<std::string_view> views_of(std::span<const std::string> keys);

/// Writes a line for each vector: its number in an exported index, a tab, its key. Throws
/// std::system_error where it cannot be written.
void write_numbered_keys(const Collection& collection, const std::string& path);

/// Throws std::invalid_argument naming the flag where the ids of the collection are others.
void require_ids(const Collection& collection, const std::string& directory, IdType ids);

}  // namespace obliq::tools
