"""The packages a Python script declares in a comment of its own (PEP 723)."""

from __future__ import annotations

import re
import tomllib

from penstock.sdk import PluginError

_HEADER = re.compile(r"^# /// script[ \t]*\r?\n((?:#(?:| .*)\r?\n)+?)# ///[ \t]*$", re.MULTILINE)


class ScriptHeaderInvalid(PluginError):
    """The header cannot be read."""

    code = "SCRIPT_HEADER_INVALID"


def declared_packages(script: str) -> list[str]:
    """Return the `dependencies` of a script's header; none without one. Implements BEY-036 in part."""
    found = _HEADER.search(script)
    if found is None:
        return []
    try:
        header = tomllib.loads("\n".join(line[2:] for line in found[1].splitlines()))
    except tomllib.TOMLDecodeError as error:
        raise ScriptHeaderInvalid(f"the script's header `# /// script` is no TOML: {error}") from None
    packages = header.get("dependencies", [])
    if not isinstance(packages, list) or not all(isinstance(package, str) for package in packages):
        raise ScriptHeaderInvalid("`dependencies` in the script's header must be a list of texts")
    return packages
