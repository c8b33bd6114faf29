"""Measures what a base install of Penstock takes on disk, and fails beyond the limit.

It reads the records of the packages installed here: Penstock and everything it needs, without extras.
"""

from __future__ import annotations

import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LIMIT_MEGABYTES = 120
SHOWN = 12
MEGABYTE = 1_000_000


def closure(name: str) -> dict[str, Distribution]:
    """Return the named distribution and all it needs on this machine, following the extras asked for."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(name), frozenset[str]())]
    while waiting:
        each = waiting.pop()
        if each in seen:
            continue
        seen.add(each)
        key, extras = each
        found[key] = distribution(key)
        for text in found[key].requires or ():
            requirement = Requirement(text)
            if applies(requirement, extras):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return found


def applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    """Tell whether a requirement counts on this machine when its package was asked for with `extras`."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras or {""}))


def size(package: Distribution) -> int:
    """Return the bytes a distribution's files take, compiled bytecode included."""
    paths = {Path(str(package.locate_file(each))) for each in package.files or ()}
    return sum(path.stat().st_size for path in paths if path.is_file())


def interface_size(root: Path) -> int:
    """Return the bytes of Penstock's own sources and built interface (an editable install records neither)."""
    package = root / "src" / "penstock"
    return sum(path.stat().st_size for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc")


def main() -> int:
    """Print the largest packages and the total."""
    try:
        packages = closure("penstock")
    except PackageNotFoundError as error:
        print(f"{error.name} is not installed here: run `make setup`.", file=sys.stderr)
        return 2
    sizes = {name: size(package) for name, package in packages.items()}
    sizes["penstock"] += interface_size(Path(__file__).resolve().parent.parent)
    total = sum(sizes.values()) / MEGABYTE
    for name, count in sorted(sizes.items(), key=lambda item: -item[1])[:SHOWN]:
        print(f"{count / MEGABYTE:7.1f} MB  {name}")
    print(f"{total:7.1f} MB  all {len(sizes)} packages of a base install (limit {LIMIT_MEGABYTES} MB)")
    return 0 if total <= LIMIT_MEGABYTES else 1


if __name__ == "__main__":
    raise SystemExit(main())
