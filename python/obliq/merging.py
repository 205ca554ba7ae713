"""Parts made one: segments merged into an index, and answers of several searches."""

from __future__ import annotations

from typing import Any, Iterable, Literal, Optional, Tuple, get_args

from obliq import _core
from obliq.arguments import (as_flag, as_name, as_path, as_paths, as_progress, as_threads, as_whole,
                             shown)
from obliq.arrays import as_array, as_matrix, team, whole_numbers
from obliq.index import SearchResult
from obliq.model import Model, core_of
from obliq.options import Path, Progress, as_answer_count

Duplicates = Literal["error", "last"]

_MOST_LISTS = (1 << 32) - 1


def merge(model: Model, segments: Iterable[Path], path: Path, *,
          lists: Optional[Tuple[int, int]] = None, segment: bool = False,
          duplicates: Duplicates = "error", deleted: Any = None, tune: bool = True,
          threads: int = 0, max_memory: int = 0, progress: Optional[Progress] = None) -> None:
    """Merges segments of a model, files in any order, into an index at `path`, which appears once
    it is whole: the file that one build of all their vectors writes, byte for byte.

    lists       (first, end): only lists first to end - 1, into a segment; segments of ranges that
                cover all lists merge to the same index as all at once. Multiples of 256 share no
                block with others. None: all
    segment     write a segment, without the model, that can be merged again
    duplicates  an id that two segments hold: "error", or "last": that of the last of `segments`
                stands
    deleted     ids to leave out, whole numbers of any shape; they need not be there
    tune        calibrate target recalls, where every segment kept truth and there are 1,000 vectors
    threads     to tune with, 0: as many as the process may use; the file does not depend on it
    max_memory  a bound in bytes; less than the merge takes is refused; 0: any
    progress    called with (stage, fraction done), as in Index.build

    Raises ValueError naming both models when a segment is of another, naming the id and both
    segments when one is in two, for a range that holds no lists, too little max_memory;
    RuntimeError on a damaged file; OSError when one cannot be read or written; TypeError on other
    types; Cancelled when progress returned False, and what it raised; KeyboardInterrupt on Ctrl-C.
    Cost: reads and writes every byte once, and tune.
    """
    chosen = as_name(duplicates, "duplicates", get_args(Duplicates))
    _core.merge(core_of(model), as_paths(segments, "segments"), as_path(path),
                None if lists is None else _as_range(lists), as_flag(segment, "segment"),
                chosen == "last", None if deleted is None else whole_numbers(
                    deleted, "deleted").ravel(), as_flag(tune, "tune"),
                team(as_threads(threads)), as_whole(max_memory, "max_memory", 0),
                as_progress(progress))


def merge_topk(parts: Iterable[SearchResult], k: int) -> SearchResult:
    """The k best answers of each query of several searches, as of parts of a base: ties go to the
    smaller id, and an id that comes twice counts once.

    parts       (distances, ids), [queries][any number] each, of the same queries; or all of one
                query, [any number] each. An id of -1 ends the answers of a part to a query

    Raises ValueError for no parts, for parts of different shapes or numbers of queries, and for
    distances that are NaN; TypeError for what is no list of answers.
    """
    count = as_answer_count(k)
    pairs = [_as_answers(part) for part in _as_parts(parts)]
    axes = {ids.ndim for _, ids in pairs}
    if len(axes) != 1:
        raise ValueError("parts must be answers to one search each, all [queries][any number] or "
                         f"all of one query, not {len(pairs)} of {sorted(axes)} axes")
    shaped = [(as_matrix(distances, "distances"), ids.reshape(-1, ids.shape[-1]))
              for distances, ids in pairs]
    distances, found = _core.merge_topk(shaped, count)
    if axes == {1}:
        distances, found = distances[0], found[0]
    return SearchResult(distances, found)


def _as_range(lists: Any) -> Tuple[int, int]:
    """(first, end). Raises TypeError for other things, ValueError for none."""
    if not isinstance(lists, (tuple, list)) or len(lists) != 2:
        raise TypeError("lists must be two numbers (first, end), as (0, 256), or None for all, not "
                        f"{shown(lists)}")
    first, end = (as_whole(value, "lists", 0, _MOST_LISTS) for value in lists)
    if first >= end:
        raise ValueError(f"lists {first} to {end} are none: end is one more than the last; None "
                         "stands for all")
    return first, end


def _as_parts(parts: Any) -> Any:
    if isinstance(parts, SearchResult) or not hasattr(parts, "__iter__"):
        raise TypeError("parts must be a list of what searches gave, as [result, other], not "
                        f"{shown(parts)}")
    return parts


def _as_answers(part: Any) -> Tuple[Any, Any]:
    """Distances and ids, of the same shape, of one axis or two."""
    if not isinstance(part, (tuple, list)) or len(part) != 2:
        raise TypeError(f"parts must be pairs (distances, ids), as search gives, not {shown(part)}")
    distances, ids = as_array(part[0], "distances"), whole_numbers(part[1])
    if distances.shape != ids.shape or ids.ndim not in (1, 2):
        raise ValueError("parts must have distances and ids of one shape, [queries][any number], "
                         f"not {list(distances.shape)} and {list(ids.shape)}")
    return distances, ids
