"""Plain numbers of how long things take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Summary:
    """How long something takes."""

    count: int = 0
    seconds: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        """Add a measurement."""
        self.count += 1
        self.seconds += seconds
        self.longest = max(self.longest, seconds)
