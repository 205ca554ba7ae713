// How many lists an index has, and how many groups of lists, where the caller does not say.
#pragma once

#include <cstddef>

namespace obliq {

/// The number of lists for n vectors: about 4 sqrt(n), at least 1, at most n.
std::size_t choose_nlist(std::size_t n);

/// Lists are grouped from this number of them on, unless the caller says otherwise.
constexpr std::size_t kLeastGrouped = 32768;

/// An encoder looks at the lists of near groups from this number of lists on, unless the caller
/// says otherwise.
constexpr std::size_t kLeastNear = 8192;

/// Whether an encoder does, for BuildOptions::list_groups.
bool encodes_by_groups(std::size_t asked, std::size_t nlist);

/// The number of groups for BuildOptions::list_groups, 1 where lists are not grouped.
std::size_t choose_list_groups(std::size_t asked, std::size_t nlist);

}  // namespace obliq
