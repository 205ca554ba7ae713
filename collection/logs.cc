// All logs but the last were whole before the next was made.
#include "collection/logs.h"

#include <fmt/format.h>

#include <stdexcept>
#include <system_error>
#include <utility>

#include "obliq/progress.h"
#include "storage/file_error.h"

namespace obliq {

void refuse_missing_log(const std::string& path) {
  throw std::runtime_error(fmt::format("{}: the log is missing; the collection is damaged", path));
}

void require_next(const std::string& path, std::uint64_t first, std::uint64_t next) {
  if (first == next) return;
  throw std::runtime_error(fmt::format(
      "{}: its first change is {}, not {}: others are missing; the collection is damaged", path,
      first, next));
}

std::vector<ReadLog> read_logs(const CollectionDirectory& directory, const ManifestInfo& info,
                               const LogTake& take) {
  std::vector<ReadLog> logs;
  const std::vector<std::uint64_t> numbers = directory.logs_from(info.first_log);
  std::uint64_t next = info.sequence + 1;
  for (const std::uint64_t number : numbers) {
    refuse_link(directory.log(number));
    LogReader reader(directory.log(number), info.collection);
    require_next(reader.path(), reader.start().seq, next);
    const LogEnd end = reader.replay(
        [&](std::uint64_t seq, std::uint8_t type, std::span<const std::byte> payload) {
          try {
            take(seq, type, payload);
          } catch (const Cancelled&) {
            throw;
          } catch (const std::system_error&) {
            throw;
          } catch (const std::runtime_error& error) {
            throw std::runtime_error(fmt::format("{}: change {}: {}; the collection is damaged",
                                                 reader.path(), seq, error.what()));
          }
        });
    if (number != numbers.back() && end.torn_bytes > 0) {
      throw_damaged(reader.path(), end.next.offset, "it is cut off, and another log follows");
    }
    next = end.next.seq;
    logs.push_back({number, std::move(reader), end});
  }
  if (logs.empty() && info.model != 0) refuse_missing_log(directory.log(info.first_log));
  return logs;
}

}  // namespace obliq
