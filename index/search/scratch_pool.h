// Scratch memory that is not in use, shared by threads. It keeps a bounded amount and gives back
// the rest: a large batch must not cost memory until the index goes.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "index/segment/trained_model.h"

namespace obliq {

/// Scratch: is made for a model, and tells its bytes().
template <class Scratch>
class ScratchPool {
 public:
  /// Keeps at most `most` bytes.
  explicit ScratchPool(std::size_t most) : most_(most) {}

  std::unique_ptr<Scratch> take(const TrainedModel& model) {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        Idle last = std::move(idle_.back());
        idle_.pop_back();
        held_ -= last.bytes;
        return std::move(last.scratch);
      }
    }
    return std::make_unique<Scratch>(model);
  }

  /// Bytes of what is kept.
  std::size_t held() {
    const std::lock_guard lock(mutex_);
    return held_;
  }

  void give_back(std::unique_ptr<Scratch> scratch) {
    const std::size_t bytes = scratch->bytes();
    const std::lock_guard lock(mutex_);
    if (held_ + bytes > most_) return;
    held_ += bytes;
    idle_.push_back({std::move(scratch), bytes});
  }

 private:
  struct Idle {
    std::unique_ptr<Scratch> scratch;
    std::size_t bytes;
  };

  std::size_t most_;
  std::mutex mutex_;
  std::size_t held_ = 0;
  std::vector<Idle> idle_;
};

}  // namespace obliq
