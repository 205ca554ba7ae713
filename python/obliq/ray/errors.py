"""What a build or a search on Ray raises besides ValueError, OSError and RuntimeError."""

from __future__ import annotations


class BuildError(RuntimeError):
    """A step failed on a machine of the cluster for no fault of the rows; nothing of the build is
    visible, and another call with resume=True goes on from the parts that are done."""


class StallError(BuildError):
    """Nothing was done for `limit_s` seconds: a machine hangs, or the cluster never has the CPUs or
    the memory that the step asks for. The message names the step and what it asked for."""
