// A collection that calls of several threads of Python share.
#pragma once

#include <nanobind/nanobind.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "obliq/collection.h"
#include "python/gil.h"

namespace obliq::python {

/// Calls keep what they work on: close() in one thread ends no call of another.
class SharedCollection {
 public:
  explicit SharedCollection(Collection collection)
      : collection_(std::make_shared<Collection>(std::move(collection))) {}
  SharedCollection(SharedCollection&&) noexcept = default;
  SharedCollection& operator=(SharedCollection&&) = delete;
  /// Waits for a step in the background.
  ~SharedCollection() {
    if (collection_ == nullptr) return;
    const GilRelease release;
    collection_.reset();
  }

  /// Throws std::invalid_argument once it is closed, and in a child of the process.
  std::shared_ptr<Collection> get() const {
    if (collection_ == nullptr) throw std::invalid_argument("the collection is closed");
    if (is_of_parent()) {
      throw std::invalid_argument("the collection was opened by the parent process: open it anew");
    }
    return collection_;
  }
  /// Whether no call can be made.
  bool is_closed() const { return collection_ == nullptr || is_of_parent(); }

  void close() {
    if (collection_ == nullptr) return;
    std::shared_ptr<Collection> closed = get();
    collection_.reset();
    const GilRelease release;
    closed->close();
    closed.reset();
  }

 private:
  bool is_of_parent() const { return ::getpid() != process_; }

  std::shared_ptr<Collection> collection_;
  pid_t process_ = ::getpid();  // that made it
};

/// Strings as Python has them; None in the place of an empty one.
nanobind::list key_list(const std::vector<std::string>& keys);

/// The calls where ids are strings (keyed_binding.cc).
void bind_keys(nanobind::class_<SharedCollection>& type);
/// Range searches, iterators and counts (collection_range.cc).
void bind_range(nanobind::class_<SharedCollection>& type);

}  // namespace obliq::python
