// Temporary names are the final one with the process and a counter behind it.
#include "datasets/pending_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "datasets/file_error.h"

namespace obliq::datasets {
namespace {

std::string temporary_name(const std::string& path) {
  static std::atomic<std::uint64_t> next{0};
  return fmt::format("{}.tmp-{}-{}", path, ::getpid(), next.fetch_add(1));
}

}  // namespace

PendingFile::PendingFile(std::string path)
    : path_(std::move(path)), temporary_(temporary_name(path_)) {}

PendingFile::~PendingFile() {
  if (!temporary_.empty()) std::remove(temporary_.c_str());
}

void PendingFile::commit() {
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_system(path_, "rename to");
  temporary_.clear();
}

ByteWriter::ByteWriter(std::string path)
    : pending_(std::move(path)), file_(std::fopen(pending_.temporary().c_str(), "wb")) {
  if (!file_) fail_system(pending_.path(), "create");
}

void ByteWriter::append(const void* bytes, std::size_t count) {
  if (count > 0 && std::fwrite(bytes, 1, count, file_.get()) != count) {
    fail_system(pending_.path(), "write");
  }
}

void ByteWriter::commit() {
  if (std::fclose(file_.release()) != 0) fail_system(pending_.path(), "write");
  pending_.commit();
}

}  // namespace obliq::datasets
