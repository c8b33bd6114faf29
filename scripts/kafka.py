"""Apache Kafka for the tests: a folder of jars below the user's cache, which Maven fills once.

`scripts/machine.py` installs it; what is fetched says `kafka.xml`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "3.9.1"
_PROJECT = Path(__file__).with_name("kafka.xml")


def kafka_directory() -> Path | None:
    """Return the folder of Kafka's jars."""
    folder = _folder()
    return folder if folder.is_dir() else None


def fetch_kafka() -> bool:
    """Have Maven fetch Kafka; return whether that worked."""
    folder, maven = _folder(), shutil.which("mvn")
    if maven is None:
        return False
    print("Fetching Apache Kafka with Maven", flush=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
        jars = Path(unfinished) / "jars"
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={jars}"]
        if subprocess.run([maven, "-q", "-B", "-f", str(_PROJECT), *copy], check=False).returncode:
            return False
        if not folder.exists():
            jars.rename(folder)
    return True


def _folder() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "penstock" / f"kafka-{VERSION}"
