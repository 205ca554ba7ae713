// Random numbers that nobody can foresee: what tells one log or collection from another.
#pragma once

#include <cstdint>
#include <string>

namespace obliq {

/// From the system. Throws std::system_error "path: cannot draw a random number for it: ...".
std::uint64_t random_number(const std::string& path);

}  // namespace obliq
