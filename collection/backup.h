// A collection copied beside its writer, of whatever process, without a lock.
#pragma once

#include <string>

#include "collection/directory.h"
#include "obliq/progress.h"

namespace obliq {

/// Makes the folder a collection with what `from` holds: see Collection::backup. Where it throws
/// the folder is as it was.
void back_up(const CollectionDirectory& from, const std::string& folder, const Progress& progress);

}  // namespace obliq
