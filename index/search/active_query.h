// A query under way: its forms, made once, and how far its search has come.
#pragma once

#include "core/prefetch.h"
#include "index/search/prepared_query.h"
#include "index/search/search_progress.h"

namespace obliq {

struct ActiveQuery {
  explicit ActiveQuery(const TrainedModel& model) : prepared(model) {}

  /// Starts loading this, or once that has come, what else scanning reads of the query.
  void fetch() const { prefetch(this, sizeof *this); }
  void fetch_more() const {
    prefetch(progress.top.answers().data(), sizeof(TopK::Answer));
    prepared.fetch();
  }

  PreparedQuery prepared;
  SearchProgress progress;
};

}  // namespace obliq
