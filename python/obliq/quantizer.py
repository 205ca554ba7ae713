"""Quantizers alone: codes of vectors without an index."""

from __future__ import annotations

from typing import Any, List, NamedTuple

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arrays import as_matrix, team


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
    unknown spec (listing the valid ones).
    """

    __slots__ = ("_core",)

    def __init__(self, spec: str, dim: int, *, seed: int = 1) -> None:
        self._core = _core.Quantizer(spec, dim, seed)

    @property
    def spec(self) -> str:
        """The canonical spec."""
        return self._core.spec

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._core.dim

    @property
    def bits(self) -> float:
        """Code bits a dimension, factors not counted."""
        return self._core.bits

    @property
    def code_bytes(self) -> int:
        """Bytes of a code, factors not counted."""
        return self._core.code_bytes

    @property
    def factors(self) -> int:
        """Numbers kept with a code."""
        return self._core.factors

    @property
    def learns(self) -> bool:
        """Whether train has something to learn."""
        return self._core.learns

    def encode(self, vectors: Any, *, threads: int = 0) -> Codes:
        """Codes of `vectors`, [n][dim] or [dim] (then n = 1). Raises ValueError naming the row of a
        value that is not finite."""
        return Codes(*self._core.encode(as_matrix(vectors, "vectors"), team(threads)))

    def decode(self, codes: Codes) -> NDArray[np.float32]:
        """The vectors float32 [n][dim] that codes stand for."""
        return self._core.decode(*_checked(codes))

    def estimate(self, codes: Codes, queries: Any, *, threads: int = 0) -> NDArray[np.float32]:
        """Estimated inner products float32 [queries][n] of queries [m][dim] with coded vectors;
        unbiased over the rotation for all specs but tq. Exact for the decoded vectors up to the
        rounding of the query to 14 bits."""
        return self._core.estimate(*_checked(codes), as_matrix(queries, "queries"), team(threads))

    def train(self, vectors: Any, queries: Any = None, *, threads: int = 0) -> Quantizer:
        """A quantizer that has learnt from vectors like those to encode and queries like those to
        come. Raises ValueError when the spec learns nothing."""
        trained = Quantizer.__new__(Quantizer)
        trained._core = self._core.train(
            as_matrix(vectors, "vectors"),
            None if queries is None else as_matrix(queries, "queries"), team(threads))
        return trained

    def __repr__(self) -> str:
        return f"obliq.Quantizer('{self.spec}', {self.dim})"


def _checked(codes: Codes) -> Codes:
    return Codes(np.ascontiguousarray(codes[0], dtype=np.uint8),
                 np.ascontiguousarray(codes[1], dtype=np.float32))
