// Every byte of a collection's files, read and checked beside a writer or not.
#pragma once

#include "collection/directory.h"
#include "obliq/collection.h"

namespace obliq {

/// See Collection::verify.
void verify_collection(const CollectionDirectory& directory, const VerifyOptions& options);

}  // namespace obliq
