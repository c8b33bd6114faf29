"""Builds the web interface into the Python package, and only when its sources changed.

Run it (`python -m scripts.ui_build`) from a clone; the package's build hook calls `build` for a wheel.
Standard library only, because the build hook runs it in an empty environment.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.tooling import node_directory, npm_command

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = {"node_modules", "dist", "tests", "coverage", "test-results", ".vite"}
DOCS = ("index.md", "durability.md", "guides/*.md", "reference/*.md")
STAMP = ".sources"
PAGE = "index.html"
TEXT = {".css", ".html", ".js", ".json", ".map", ".svg", ".ttf", ".txt", ".wasm"}
LEAST = 1024
"""Bytes below which compressing a file saves nothing."""


class NodeMissingError(Exception):
    """Neither PATH nor the environment has Node 20.19 or later."""


def source_hash(ui: Path) -> str:
    """Return one fingerprint for everything the built interface is made of."""
    digest = hashlib.sha256(b"compressed alone\0")  # the form of the target counts too
    for path in sorted((*_sources(ui), *_pages(ui.parent / "docs"))):
        digest.update(f"{path.relative_to(ui.parent).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def is_current(ui: Path, target: Path) -> bool:
    """Tell whether `target` was built from the sources as they are now."""
    stamp = target / STAMP
    return stamp.is_file() and stamp.read_text() == source_hash(ui)


def build(ui: Path, target: Path, node: Path | None) -> bool:
    """Build `ui` into `target` unless it is current; return whether anything was done."""
    if is_current(ui, target):
        return False
    fingerprint = source_hash(ui)
    install(ui, node)
    run_npm(ui, node, "run", "build")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(ui / "dist", target)
    compress(target)
    (target / STAMP).write_text(fingerprint)
    return True


def compress(target: Path) -> None:
    """Put a compressed file in the place of each that becomes smaller by it; the server sends that to browsers.

    The page itself stays as it is: it tells that there is an interface.
    """
    for path in sorted(target.rglob("*")):
        if path.suffix not in TEXT or not path.is_file() or path.name == PAGE or path.stat().st_size < LEAST:
            continue
        content = path.read_bytes()
        packed = gzip.compress(content, compresslevel=9, mtime=0)
        if len(packed) < len(content):
            path.with_name(f"{path.name}.gz").write_bytes(packed)
            path.unlink()


def install(ui: Path, node: Path | None) -> None:
    """Install the locked npm packages unless they are there already."""
    lock = hashlib.sha256((ui / "package-lock.json").read_bytes()).hexdigest()
    stamp = ui / "node_modules" / STAMP
    if not (stamp.is_file() and stamp.read_text() == lock):
        run_npm(ui, node, "ci", "--no-audit", "--no-fund")
        stamp.parent.mkdir(exist_ok=True)  # npm leaves it out when there is nothing to install
        stamp.write_text(lock)


def run_npm(ui: Path, node: Path | None, *arguments: str) -> None:
    """Run npm in `ui` with the given Node's folder first on PATH."""
    if node is None:
        raise NodeMissingError("Node 20.19 or later is needed: install it, or run `make setup`, which brings one")
    environment = os.environ | {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    subprocess.run([*npm_command(node), *arguments], cwd=ui, env=environment, check=True)


def _sources(ui: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(ui):
        folders[:] = [each for each in folders if each not in LEFT_OUT]
        yield from (Path(folder, each) for each in files)


def _pages(docs: Path) -> Iterator[Path]:
    """Yield the pages of the documentation that the interface brings along."""
    for pattern in DOCS:
        yield from docs.glob(pattern)


def main(arguments: list[str]) -> int:
    """Build the interface of this clone, then run npm with the arguments, if any."""
    ui = ROOT / "ui"
    node = node_directory()
    try:
        if build(ui, ROOT / "src" / "penstock" / "_ui", node):
            print("The web interface is built.", flush=True)
        if arguments:
            install(ui, node)
            run_npm(ui, node, *arguments)
    except NodeMissingError as error:
        print(f"The web interface could not be built: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"The web interface stopped at: {' '.join(error.cmd)} (see above)", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
