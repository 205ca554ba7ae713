// The units of a list: powers of two in which its factors are stored as fp16, so that they neither
// overflow nor lose bits. They are maxima over the entries, so that the units of lists that are
// joined are the maxima of theirs.
#pragma once

#include "index/segment/entry_format.h"
#include "index/segment/list_record.h"
#include "index/segment/trained_model.h"

namespace obliq {

/// The largest units that spilled entries may ask for.
struct UnitLimits {
  int scale = 0;
  int add = 0;
};

/// By what the model knows of a list: 2^12 times the size of its usual numbers.
UnitLimits unit_limits(const TrainedModel& model, std::size_t list);

/// Raises a list's units so that they hold the numbers of a primary entry and its row: |r| is at
/// most 2^6 units, f_add at most 2^15.
void hold_primary(const EncodedNumbers& numbers, ListRecord& record);
/// The same for those of a spilled entry, each at most 2^15 units. Numbers for which that would
/// raise a unit beyond its limit are replaced by the f_add of -infinity that stands for them
/// (entry_format.h).
void hold_spilled(const UnitLimits& limits, EncodedNumbers& numbers, ListRecord& record);

}  // namespace obliq
