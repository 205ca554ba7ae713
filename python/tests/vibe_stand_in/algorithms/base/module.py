"""A stand-in for what algorithms derive from in VIBE."""

from typing import Any, Dict


class BaseANN:
    def get_memory_usage(self) -> float:
        return 0.0

    def get_additional(self) -> Dict[str, Any]:
        return {}
