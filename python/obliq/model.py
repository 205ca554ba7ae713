"""The model: all that is learnt from a sample of the base. Parts of the base are encoded under it
into segments, on any machine, which obliq.merge joins to the file that Index.build would write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NoReturn, Optional, Tuple, Union, overload

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_flag, as_path, as_progress, as_seed, as_threads, as_whole, shown
from obliq.arrays import (as_array, as_base, as_given, as_ids, as_matrix, may_be_id, team,
                          whole_numbers)
from obliq.columns import Types, as_columns
from obliq.options import (AnyMetric, Metric, Path, Preset, Progress, Raw, as_list_count,
                           learn_options)
from obliq.temporary import bytes_of, open_bytes


@dataclass(frozen=True)
class ModelStats:
    """What a model is made of.

    id             of its bytes, 64 bits: segments name it
    n              vectors of the base that it was trained for
    spill          share of the vectors that are to have a second entry
    learn_queries  to tune with; 0 in the model of an index
    """

    id: int
    n: int
    dim: int
    nlist: int
    list_groups: int
    metric: Metric
    quantizer: str
    raw: str
    spill: float
    learn_queries: int
    seed: int


class RankedLists(NamedTuple):
    """See Model.rank."""

    lists: NDArray[np.uint32]
    keys: NDArray[np.float32]
    scale: NDArray[np.float32]


class Model:
    """All that is learnt; immutable. Make one with train or open; use it from any thread. Pickle
    carries it as its bytes."""

    __slots__ = ("_model",)
    _model: _core.Model

    def __init__(self, *_: NoReturn, **__: NoReturn) -> None:
        raise TypeError("make a model with Model.train(vectors) or Model.open(path)")

    @classmethod
    def _of(cls, core: _core.Model) -> Model:
        model = cls.__new__(cls)
        model._model = core
        return model

    @classmethod
    def train(cls, vectors: Any, metric: AnyMetric = "l2", quantizer: Optional[str] = None, *,
              preset: Optional[Preset] = None, raw: Optional[Raw] = None,
              spill: Optional[float] = None, nlist: Union[int, Literal["auto"]] = "auto",
              ids: Any = None, n: Optional[int] = None, centroids: Any = None,
              train_queries: Any = None, seed: int = 1, threads: int = 0,
              kmeans_iterations: int = 10, kmeans_points: int = 256, list_groups: int = 0,
              progress: Optional[Progress] = None) -> Model:
        """Learns from `vectors` [m][dim], the base or part of it, what an index of n vectors needs.

        ids         int64 [m], those of the vectors; default: their positions
        n           vectors of the whole base, m or more; None: m

        All else is as in Index.build. The model depends only on the sample: the sample_size(n)
        vectors of the smallest sample_key(seed, id). Give all of those with their ids, more or not,
        in any order. vectors may be of float16, float32, float64, int8 or uint8, any strides.

        Raises as Index.build does, and ValueError for an n below m. Cost: k-means over the sample.
        """
        options = learn_options(metric, preset, quantizer, raw, spill, nlist, list_groups, seed,
                                threads, kmeans_iterations, kmeans_points)
        return cls._of(_core.Model.train(
            *given_arrays(vectors, options, ids, centroids, train_queries),
            0 if n is None else as_whole(n, "n", 1), as_progress(progress)))

    @classmethod
    def open(cls, path: Path, *, in_memory: bool = False, verify: bool = False) -> Model:
        """Opens a saved model, or that of an index, which has no learn queries. in_memory, verify
        and errors as in Index.open."""
        return cls._of(_core.Model.open(as_path(path), as_flag(in_memory, "in_memory"),
                                        as_flag(verify, "verify")))

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all, as Index.save. Raises OSError when it cannot."""
        self._model.save(as_path(path))

    def encode(self, vectors: Any, path: Path, ids: Any = None, *, first: Optional[int] = None,
               columns: Any = None, types: Optional[Types] = None,
               truth: bool = True, threads: int = 0, max_memory: int = 0,
               progress: Optional[Progress] = None) -> None:
        """Encodes `vectors` [m][dim], any part of the base, into the file of a segment, whole or
        not at all; number types and layouts as in Index.build.

        ids         int64 [m], all different, none -1 ("no answer"); default: positions in the base
        first       position of the first vector, from which the others count, where there are no
                    ids; None: 0
        columns, types      attributes of the vectors and their types, see Columns
        truth       keep the true neighbours of the model's learn queries, from which merge tunes:
                    m * dim operations and 1.5 kB for each of them, at most 1,000
        threads     0: as many as the process may use; the segment does not depend on it
        max_memory  bytes that it may take, with temporary files beside path; 0: any. Changes no
                    byte
        progress    called with (stage, fraction done), as in Index.build

        Raises ValueError on NaN, infinity or what float32 cannot hold (naming the row), a wrong dim
        or shape, an id given twice, ids together with first, too little max_memory; OSError when
        path cannot be written; TypeError on other types; Cancelled when progress returned False,
        and what it raised; KeyboardInterrupt on Ctrl-C. Cost: nlist * dim operations per vector,
        much less from some 10,000 lists on, and truth.
        """
        if ids is not None and first is not None:
            raise ValueError(f"first is {shown(first)}, the position from which ids count where "
                             "none are given: leave first or ids out")
        base = as_base(vectors)
        self._model.encode(
            base, as_path(path), None if ids is None else as_ids(ids, len(base)),
            0 if first is None else as_whole(first, "first", 0),
            as_columns(columns, len(base), types), as_flag(truth, "truth"),
            team(as_threads(threads)), as_whole(max_memory, "max_memory", 0),
            as_progress(progress))

    def route(self, queries: Any, nprobe: int, *, threads: int = 0) -> NDArray[np.uint32]:
        """The lists to search for each of the queries [m][dim], best first: uint32 [m][nprobe], at
        most nlist; for one query [dim] one row. What a search chooses, but for empty lists.
        Raises as Index.search. Cost: a search without the scan of its lists."""
        array = as_array(queries, "queries")
        lists = self._model.route(as_matrix(array, "queries"), as_whole(nprobe, "nprobe", 1),
                                  team(as_threads(threads)))
        return lists[0] if array.ndim == 1 else lists

    def rank(self, queries: Any, nprobe: int, *, threads: int = 0) -> RankedLists:
        """The lists that route tells, with what each promises: a named tuple (lists, keys, scale)
        of [m][nprobe], [m][nprobe] and [m][2]. A key is how far the list's vectors are, on the
        scale of |q-x|^2 behind the transform, on which a distance d of the metric is scale[:, 0] *
        d + scale[:, 1]; a list whose key is far above the k-th distance holds few of the k nearest.
        Raises and costs as route."""
        return RankedLists(*self._model.rank(as_matrix(as_array(queries, "queries"), "queries"),
                                             as_whole(nprobe, "nprobe", 1),
                                             team(as_threads(threads))))

    def learn_queries(self) -> Tuple[NDArray[np.float32], NDArray[np.int64]]:
        """The queries that merge tunes with, [stats().learn_queries][dim], and their ids in the
        base: -1 where train was given queries."""
        return self._model.learn_queries()

    def truth(self, segment: Path) -> Tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Distances and ids, [learn_queries][128] each, of the exact nearest vectors of the learn
        queries that a segment keeps: among all that it was merged from, whatever its range of
        lists; no rows where it keeps none. Fewer neighbours end with id -1. Raises as
        Index.open."""
        return self._model.truth(as_path(segment))

    def stats(self) -> ModelStats:
        """What the model is made of."""
        return ModelStats(**self._model.stats())

    def to_bytes(self) -> bytes:
        """The model as save would write it. Raises as Index.to_bytes."""
        return bytes_of(self.save)

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview]) -> Model:
        """The reverse of to_bytes. Every byte is checked; raises RuntimeError when damaged, OSError
        as to_bytes does."""
        return open_bytes(data, lambda path: cls.open(path, in_memory=True, verify=True),
                          "Model.open(path)")

    def __reduce__(self) -> Any:
        return Model.from_bytes, (self.to_bytes(),)

    def __copy__(self) -> Model:
        """The model itself: it never changes."""
        return self

    def __deepcopy__(self, memo: Any) -> Model:
        return self

    @property
    def id(self) -> int:
        """64 bits that tell it from others: segments name it."""
        return self.stats().id

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self.stats().dim

    @property
    def metric(self) -> Metric:
        """What distances are: "l2", "ip" or "cosine"."""
        return self.stats().metric

    @property
    def quantizer(self) -> str:
        """The canonical spec of the codes."""
        return self.stats().quantizer

    @property
    def nlist(self) -> int:
        """The number of lists."""
        return self.stats().nlist

    def __repr__(self) -> str:
        stats = self.stats()
        return (f"obliq.Model(id=0x{stats.id:016x}, n={stats.n}, dim={stats.dim}, "
                f"metric='{stats.metric}', quantizer='{stats.quantizer}', nlist={stats.nlist})")


_Given = Tuple[NDArray[Any], _core.LearnOptions, Optional[NDArray[np.int64]],
               Optional[NDArray[np.float32]], Optional[NDArray[np.float32]]]


def core_of(model: Any) -> _core.Model:
    """The library's. Raises TypeError for other things."""
    if not isinstance(model, Model):
        raise TypeError("model must be an obliq.Model, as Model.open(path) gives it, not "
                        f"{shown(model)}")
    return model._model


def given_arrays(vectors: Any, options: _core.LearnOptions, ids: Any, centroids: Any,
                 train_queries: Any) -> _Given:
    """Vectors, options and arrays as the library takes them to build and to train."""
    base = as_base(vectors)
    return (base, options, None if ids is None else as_ids(ids, len(base)),
            as_given(centroids, "centroids", "for k-means"),
            as_given(train_queries, "train_queries", "for base vectors"))


def sample_size(n: int, *, nlist: Union[int, Literal["auto"]] = "auto", kmeans_points: int = 256,
                centroids: Any = None) -> int:
    """The number of vectors that a model of n vectors learns from, with these options of
    Model.train. Raises as it does."""
    given = as_given(centroids, "centroids", "for k-means")
    return _core.sample_size(as_whole(n, "n", 0), as_list_count(nlist),
                             as_whole(kmeans_points, "kmeans_points", 1),
                             0 if given is None else len(given))


@overload
def sample_key(seed: int, ids: int) -> int: ...
@overload
def sample_key(seed: int, ids: Any) -> NDArray[np.uint64]: ...
def sample_key(seed: int, ids: Any) -> Union[int, NDArray[np.uint64]]:
    """The keys by which vectors are chosen for the sample, the smallest first: uint64, of the shape
    of ids; an int for one id. Raises ValueError for ids that are no whole numbers."""
    if may_be_id(ids):
        return int(_core.sample_key(as_seed(seed), np.array([ids], np.int64))[0])
    array = whole_numbers(ids)
    return _core.sample_key(as_seed(seed), array.ravel()).reshape(array.shape)
