"""The page of configuration keys and the settings say the same."""

from __future__ import annotations

import re
from pathlib import Path

from penstock.wiring.config.settings import WITHOUT_EFFECT, known_paths

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"


def test_configuration_reference_names_every_key_and_no_other() -> None:
    """OPS-052, OPS-215."""
    documented = re.findall(r"^\| `([\w.-]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert documented == [".".join(path) for path, _ in known_paths()]


def test_configuration_reference_names_what_has_no_effect() -> None:
    listed = re.findall(r"^- `([\w.-]+)`", PAGE.read_text(), re.MULTILINE)
    assert listed == [".".join(path) for path in WITHOUT_EFFECT]
