"""Where configuration comes from: a file, the text in an environment variable, single environment variables.

Implements OPS-046 (sources and precedence), OPS-047 (names of environment variables), OPS-211 (`config.yml` before
`config.yaml`). `PENSTOCK_...` is accepted wherever `KESTRA_...` is, and wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath

import yaml

from penstock.wiring.config.errors import ConfigurationError
from penstock.wiring.config.keys import Path, Value, Values, environment_name, flatten

_DEFAULT_FILES = ("~/.penstock/config.yml", "~/.penstock/config.yaml", "~/.kestra/config.yml", "~/.kestra/config.yaml")
_WHOLE = ("PENSTOCK_CONFIGURATION", "KESTRA_CONFIGURATION")
_OWN_PREFIX = "PENSTOCK_"
_DOCUMENTED_PREFIX = "KESTRA_"


def default_file() -> FilePath | None:
    """Return the configuration file that is read when none is named; None when there is none."""
    for name in _DEFAULT_FILES:
        path = FilePath(name).expanduser()
        if path.is_file():
            return path
    return None


def read_file(path: FilePath) -> Values:
    """Return what a configuration file says.

    Raises:
        ConfigurationError: It cannot be read, or is no YAML mapping.
    """
    try:
        text = path.expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"the configuration file {path} cannot be read: {error.strerror}", hint="check the path given to --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"the configuration file {path} is no text in UTF-8 (see byte {error.start + 1})",
            hint="check the path given to --config, or save the file as UTF-8",
        ) from None
    return read_text(text, str(path))


def whole_configuration(environment: Mapping[str, str]) -> tuple[str, str] | None:
    """Return name and text of the environment variable that holds a whole configuration."""
    for name in _WHOLE:
        if environment.get(name, "").strip():
            return name, environment[name]
    return None


def keep_whole(environment: Mapping[str, str], folder: FilePath) -> FilePath | None:
    """Write a configuration given by environment variable to a file, for people to look at (OPS-046).

    Only its owner may read the file, since the configuration holds passwords. Nothing depends on it.
    """
    whole = whole_configuration(environment)
    if whole is None:
        return None
    path = folder / "application.yml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(whole[1], encoding="utf-8")
    except OSError:
        return None
    return path


def read_text(text: str, source: str) -> Values:
    """Return what a YAML text says; `source` names it in errors.

    Raises:
        ConfigurationError: It is no YAML, or no mapping.
    """
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it cannot be parsed"
        raise ConfigurationError(f"{source} is not valid YAML{place}: {problem}") from None
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise ConfigurationError(
            f"{source} holds no settings but a {type(tree).__name__}", hint="start it with keys such as `kestra:`"
        )
    return flatten(tree, source)


def read_environment(environment: Mapping[str, str], known: Iterable[Path], maps: Iterable[Path]) -> Values:
    """Return what single environment variables say.

    Args:
        environment: The variables.
        known: Paths that exist: those of the settings and those of the files read before.
        maps: Paths below which any key may stand; the rest of a variable's name is then the key.
    """
    names = {environment_name(path): path for path in known}
    prefixes = {environment_name(path) + "_": path for path in maps}
    values: Values = {}
    for name in sorted(environment, key=lambda name: name.startswith(_OWN_PREFIX)):
        if name in _WHOLE:
            continue
        bound = _DOCUMENTED_PREFIX + name.removeprefix(_OWN_PREFIX) if name.startswith(_OWN_PREFIX) else name
        path = names.get(bound) or _open_path(bound, prefixes)
        if path is not None:
            values[path] = Value(environment[name], f"environment variable {name}")
    return values


def _open_path(name: str, prefixes: Mapping[str, Path]) -> Path | None:
    for prefix, path in prefixes.items():
        if name.startswith(prefix) and len(name) > len(prefix):
            return (*path, name[len(prefix) :].lower().replace("_", "-"))
    return None
