#include "storage/random_number.h"

#include <sys/random.h>

#include <cerrno>

#include "storage/file_error.h"

namespace obliq {

std::uint64_t random_number(const std::string& path) {
  std::uint64_t number = 0;
  while (::getrandom(&number, sizeof number, 0) != sizeof number) {
    if (errno != EINTR) throw_system_error(path, "draw a random number for it");
  }
  return number;
}

}  // namespace obliq
