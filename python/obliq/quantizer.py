"""Quantizers alone: codes of vectors without an index."""

from __future__ import annotations

from typing import Any, List, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_seed, as_spec, as_threads, as_whole, shown
from obliq.arrays import as_given, as_matrix, refuse_masked, team


class Codes(NamedTuple):
    """Coded vectors: codes uint8 [n][code_bytes], factors float32 [n][factors]."""

    codes: NDArray[np.uint8]
    factors: NDArray[np.float32]


def quantizer_specs() -> List[str]:
    """One spec for every family and number, and one for every option."""
    return _core.quantizer_specs()


def quantizer_grammar() -> List[str]:
    """Every family with its numbers and options, as in "tqp{2..8}[:orthogonal|:gaussian]"."""
    return _core.quantizer_grammar()


class Quantizer:
    """Turns vectors of one dimension into codes, back, and into inner products.

    spec as in Index.build: "lm4" (Lloyd-Max levels, unbiased), "tq4" and "tqp4" (TurboQuant, arXiv
    2504.19874), "sq8", "e8q14", ...; docs/quantizers.md has the formulas. Vectors are rotated by
    the rotation of the seed on their way in and back on their way out. Raises ValueError for an
    unknown spec (listing the valid ones). Immutable, picklable; use it from any thread.

    state: what a trained quantizer of this spec, dim and seed has in its property state.
    """

    __slots__ = ("_quantizer",)

    def __init__(self, spec: str, dim: int, *, seed: int = 1, state: bytes = b"") -> None:
        if not isinstance(state, bytes):
            raise TypeError(f"state must be bytes, as Quantizer.state gives, not {shown(state)}")
        self._quantizer = _core.Quantizer(as_spec(spec), as_whole(dim, "dim", 1), as_seed(seed),
                                          state)

    @property
    def spec(self) -> str:
        """The canonical spec."""
        return self._quantizer.spec

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._quantizer.dim

    @property
    def seed(self) -> int:
        """The seed of the rotation."""
        return self._quantizer.seed

    @property
    def state(self) -> bytes:
        """What train has learnt as far as decoding needs it; empty for most. Keep it with codes."""
        return self._quantizer.state

    @property
    def bits(self) -> float:
        """Code bits per dimension, factors not counted."""
        return self._quantizer.bits

    @property
    def code_bytes(self) -> int:
        """Bytes of a code, factors not counted."""
        return self._quantizer.code_bytes

    @property
    def factors(self) -> int:
        """Numbers kept with a code."""
        return self._quantizer.factors

    @property
    def learns(self) -> bool:
        """Whether train has something to learn."""
        return self._quantizer.learns

    def encode(self, vectors: Any, *, threads: int = 0) -> Codes:
        """Codes of `vectors`, [n][dim] or [dim] (then n = 1). Raises ValueError naming the row of a
        value that is not finite."""
        return Codes(*self._quantizer.encode(as_matrix(vectors, "vectors"),
                                             team(as_threads(threads))))

    def decode(self, codes: Codes, *, threads: int = 0) -> NDArray[np.float32]:
        """The vectors float32 [n][dim] that codes stand for. Raises ValueError when codes or
        factors have another shape than encode gives, TypeError on other number types."""
        return self._quantizer.decode(*_checked(codes), team(as_threads(threads)))

    def estimate(self, codes: Codes, queries: Any, *, threads: int = 0) -> NDArray[np.float32]:
        """Estimated inner products float32 [queries][n] of queries [m][dim] with coded vectors:
        those with the decoded vectors, up to the rounding of the query to 14 bits. Unbiased over
        the rotation for most specs (not tq; docs/quantizers.md). Raises as decode and encode do."""
        matrix = as_matrix(queries, "queries")
        return self._quantizer.estimate(*_checked(codes), matrix,
                                        team(as_threads(threads)))

    def train(self, vectors: Any, queries: Any = None, *, threads: int = 0) -> Quantizer:
        """A quantizer that has learnt from vectors like those to encode and queries like those to
        come. Raises ValueError when the spec learns nothing, and for no queries (queries=q[:0])."""
        examples = as_matrix(vectors, "vectors")
        if len(examples) == 0:
            raise ValueError(f"vectors hold none to learn from, shape {list(examples.shape)}")
        trained = Quantizer.__new__(Quantizer)
        trained._quantizer = self._quantizer.train(
            examples, as_given(queries, "queries", "for vectors in their place"),
            team(as_threads(threads)))
        return trained

    def __repr__(self) -> str:
        return f"obliq.Quantizer('{self.spec}', {self.dim})"

    def __reduce__(self) -> Any:
        return _restore, (self.spec, self.dim, self.seed, self.state)


def _restore(spec: str, dim: int, seed: int, state: bytes) -> Quantizer:
    return Quantizer(spec, dim, seed=seed, state=state)


def _checked(codes: Codes) -> Codes:
    """Codes that the library takes. Raises TypeError on other number types, ValueError on masked
    arrays."""
    refuse_masked(tuple(codes), "codes")
    values, factors = np.asarray(codes[0]), np.asarray(codes[1])
    if values.dtype != np.uint8 or factors.dtype != np.float32:
        raise TypeError(f"codes must be of uint8 and factors of float32, as encode gives them, not "
                        f"{values.dtype} and {factors.dtype}")
    return Codes(np.ascontiguousarray(values), np.ascontiguousarray(factors))
