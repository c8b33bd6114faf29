"""What happened, in the order in which it happened, for whoever reads a failure."""

from __future__ import annotations

from dataclasses import dataclass, field

from penstock.base.clock import SECOND, Micros


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a story."""

    at: Micros
    who: str
    what: str
    about: str = ""
    """The execution it is about, if it is about one."""


@dataclass(slots=True)
class Story:
    """The lines so far."""

    lines: list[Happened] = field(default_factory=list)

    def add(self, at: Micros, who: str, what: str, about: str = "") -> None:
        """Add a line."""
        self.lines.append(Happened(at, who, what, about))

    def told(self, about: frozenset[str]) -> list[str]:
        """Return the lines as text: those of the given executions, and those about no execution."""
        names = {one: f"execution {number}" for number, one in enumerate(self._executions(), 1)}
        told = []
        for line in self.lines:
            if about and line.about and line.about not in about:
                continue
            text = line.what
            for execution_id, name in names.items():
                text = text.replace(execution_id, f"{name} ({execution_id})")
            told.append(f"{line.at / SECOND:9.3f} s  {line.who:<12} {text}")
        return told

    def _executions(self) -> list[str]:
        return list(dict.fromkeys(line.about for line in self.lines if line.about))
