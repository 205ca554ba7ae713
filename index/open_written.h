// Opening an index that has just been written. Where that fails, the writing has not: the error
// says so.
#pragma once

#include <stdexcept>
#include <string>
#include <system_error>

#include "obliq/index.h"

namespace obliq {

/// Throws as Index::open does, with " (the new file is in place, but opening it failed)" added.
inline Index open_written(const std::string& path) {
  const std::string in_place = " (the new file is in place, but opening it failed)";
  try {
    return Index::open(path);
  } catch (const std::system_error& error) {
    throw std::system_error(error.code(), path + ": cannot open" + in_place);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(error.what() + in_place);
  }
}

}  // namespace obliq
