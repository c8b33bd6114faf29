"""The flow files a run knows: the one to run, and those it may call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.base.errors import NotFoundError
from penstock.cli.including import expanded
from penstock.model.parsing import ParsedFlow, parse_flow
from penstock.model.suites import ParsedSuite, is_suite, parse_suite
from penstock.model.yaml import read_yaml, split_documents
from penstock.wiring.flow_reading import FlowReading

SUFFIXES = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class FlowSource:
    """One flow of a file."""

    file: Path
    text: str
    """The source of this flow alone."""
    whole: str
    """The text of the whole file, for showing problems."""
    parsed: ParsedFlow


def flow_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and all flow files in folders named.

    Raises:
        NotFoundError: There is no such file or folder.
    """
    for path in paths:
        if path.is_dir():
            yield from sorted(one for one in path.rglob("*") if one.suffix in SUFFIXES and one.is_file())
        elif path.is_file():
            yield path
        else:
            raise NotFoundError(f"there is no file or folder {path}", hint="check the path")


@dataclass(frozen=True, slots=True)
class SuiteSource:
    """One test suite of a file."""

    file: Path
    whole: str
    """The text of the whole file, for showing problems."""
    parsed: ParsedSuite


def read_suites(paths: Iterable[Path]) -> list[SuiteSource]:
    """Return the test suites of files and folders, problems and all."""
    return [
        SuiteSource(file, whole, parse_suite(text, first_line=line))
        for file, whole, text, line in _documents(paths)
        if is_suite(read_yaml(text, line).data)
    ]


def _documents(paths: Iterable[Path]) -> Iterator[tuple[Path, str, str, int]]:
    """Yield (file, its text, a document of it, the document's first line)."""
    for file in dict.fromkeys(flow_files(paths)):
        whole = expanded(file)
        for text, line in split_documents(whole) or [(whole, 1)]:
            yield file, whole, text, line


def read_flows(paths: Iterable[Path], reading: FlowReading) -> list[FlowSource]:
    """Return the flows of files and folders, problems and all; test suites are passed over."""
    found = []
    for file, whole, text, line in _documents(paths):
        parsed = parse_flow(text, reading.registry, defaults=reading.defaults, first_line=line)
        if not is_suite(parsed.data):
            found.append(FlowSource(file, text, whole, parsed))
    return found
