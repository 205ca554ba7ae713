// Where tests of collections write, which sync a lot: in memory where the system has such a place.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>

namespace obliq::testing {

inline std::string memory_folder() {
  std::error_code error;
  const bool is_there = std::filesystem::is_directory("/dev/shm", error);
  return is_there ? "/dev/shm" : std::filesystem::temp_directory_path().string();
}

}  // namespace obliq::testing
