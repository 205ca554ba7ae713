// Writing bytes to a descriptor until they are all there. A limit on file sizes (ulimit -f) and a
// pipe that nobody reads any more are errors here, not the end of the process: SIGXFSZ and SIGPIPE
// are held back in the calling thread while it writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace obliq {

/// Both return 0 or what errno tells. Interrupted and short writes go on.
int write_all(int fd, std::span<const std::byte> bytes) noexcept;
int write_all_at(int fd, std::uint64_t offset, std::span<const std::byte> bytes) noexcept;

/// Reads all of `out`; bytes beyond the end of the file are zeros. Returns 0 or what errno tells.
int read_all_at(int fd, std::uint64_t offset, std::span<std::byte> out) noexcept;

/// What to add to a message when `error` says that there is no room: ": 500 bytes are needed, 20
/// are free", the free ones as the file system of `fd` tells them. Nothing for other errors.
std::string describe_lack_of_room(int error, int fd, std::uint64_t bytes_needed);

}  // namespace obliq
