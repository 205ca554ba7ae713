// Which vectors of a file a command takes, and their ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "tools/flags.h"
#include "tools/inputs.h"

namespace obliq::tools {

/// The rows A:B that --rows names, all where it is empty. Throws std::invalid_argument where they
/// go beyond the `rows` vectors of `file`.
Range rows_of_file(const std::string& flag, std::size_t rows, const std::string& file);

/// Ids of a file, [n][1]; none without a file. Throws std::invalid_argument where a row holds more.
Matrix<std::int64_t> read_vector_ids(const Inputs& inputs, const std::string& file);
/// The same for a file of `rows` vectors. Throws std::invalid_argument for another number of ids.
Matrix<std::int64_t> read_ids_of(const std::string& vectors, std::size_t rows, const Inputs& inputs,
                                 const std::string& file);

}  // namespace obliq::tools
