"""Which lists are those of a shard of the application, whatever lies under the url.

Near lists have near numbers, so that a shard is a range of lists, and a query asks few shards.
Where the version was merged by ranges, a shard takes whole files; where it was not, or has fewer
files than there are shards, lists are cut evenly, and a shard maps the files that hold some of its
lists: of these it reads its own lists alone, so that its memory is its share.
"""

from __future__ import annotations

from typing import List, Tuple

import numpy as np

from obliq.ray.layout import Version

Range = Tuple[int, int]


def cut_version(version: Version, shards: int) -> List[Range]:
    """Lists [first, end) of each shard, in their order; some are empty where there are fewer lists
    than shards. The same in every process."""
    if version.layout == "ranges" and len(version.shards) >= shards:
        return _of_files(version, shards)
    cuts = [version.nlist * i // shards for i in range(shards + 1)]
    return list(zip(cuts, cuts[1:]))


def _of_files(version: Version, shards: int) -> List[Range]:
    """Consecutive files to each shard, at least one, of like numbers of vectors."""
    files = version.shards
    counted = np.cumsum([file.n for file in files])
    cuts = [0]
    for i in range(1, shards):
        wanted = int(np.searchsorted(counted, counted[-1] * i / shards, side="left")) + 1
        cuts.append(min(max(wanted, cuts[-1] + 1), len(files) - (shards - i)))
    ends = [files[i - 1].end for i in cuts[1:]] + [version.nlist]
    return list(zip([0] + ends[:-1], ends))


def files_of(version: Version, lists: Range) -> List[str]:
    """The files that may hold some of these lists, by their paths."""
    first, end = lists
    return [file.path for file in version.shards if file.first < end and first < file.end]
