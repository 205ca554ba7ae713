// Logs as bytes in memory: made, damaged, sealed again, and read.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "storage/log_layout.h"
#include "storage/log_reader.h"
#include "tests/storage/files.h"

namespace obliq {

struct LogRecord {
  std::uint8_t type;
  Bytes payload;

  bool operator==(const LogRecord&) const = default;
};
using LogRecords = std::vector<LogRecord>;

/// Puts what it gets at the end of `records`.
inline LogTake collect(LogRecords& records) {
  return [&records](std::uint64_t, std::uint8_t type, std::span<const std::byte> payload) {
    records.push_back({type, Bytes(payload.begin(), payload.end())});
  };
}

/// Ignores what it gets.
inline void ignore_record(std::uint64_t, std::uint8_t, std::span<const std::byte>) {}

inline Bytes empty_log(std::uint64_t random, std::uint64_t first_seq, std::uint64_t owner) {
  const auto head = make_log_head(random, first_seq, owner);
  return {head.begin(), head.end()};
}

/// Adds a sound record behind the end of the log.
inline void add_record(Bytes& log, std::uint64_t random, std::uint64_t seq,
                       const LogRecord& record) {
  const std::size_t at = log.size();
  LogRecordHead head{};
  head.bytes = static_cast<std::uint32_t>(record.payload.size());
  head.seq = seq;
  head.type = record.type;
  log.resize(at + log_record_bytes(head.bytes));
  std::memcpy(log.data() + at, &head, sizeof head);
  std::ranges::copy(record.payload, log.begin() + static_cast<std::ptrdiff_t>(at + sizeof head));
  head.crc = log_record_crc(std::span<const std::byte>(log).subspan(at), random, at);
  std::memcpy(log.data() + at, &head, sizeof head);
}

inline void set_slot(Bytes& log, std::uint64_t random, std::size_t number, std::uint64_t seq,
                     std::uint64_t bytes) {
  const LogSlot slot = sealed_slot(seq, bytes, random, number);
  std::memcpy(log.data() + slot_offset(number), &slot, sizeof slot);
}

/// What is left of the log when it ends after `bytes`.
inline Bytes cut(const Bytes& log, std::size_t bytes) {
  return {log.begin(), log.begin() + static_cast<std::ptrdiff_t>(bytes)};
}

/// What reading these bytes says; empty where they are taken.
inline std::string log_complaint(const Bytes& log, std::uint64_t owner) {
  try {
    replay_log("log", log, owner, ignore_record);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return {};
}

}  // namespace obliq
