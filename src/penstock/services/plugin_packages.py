"""What a plugin's package says of itself beside its types: icons, metadata, guides. Implements PLG-041 to PLG-044.

In the package's folder: `icons/<type or group>.svg` and `icons/plugin-icon.svg`; `metadata/index.yaml` for the whole,
`metadata/<sub-group>.yaml` for what its names begin with further on; `doc/<group>.md` for a long description, and
`doc/guides/*.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from penstock.model.yaml import read_yaml

_FOLDERS = {"icons": ".svg", "metadata": ".yaml", "doc": ".md"}
_BUILT_IN = "penstock.builtin"
_INDEX, _PLUGIN_ICON, _GUIDES = "metadata/index.yaml", "icons/plugin-icon.svg", "doc/guides/"

Texts = Mapping[str, str]
"""Files by their path within the package."""


@dataclass(frozen=True, slots=True)
class GroupPage:
    """What is said of a plugin, or of those of its types whose names begin alike."""

    title: str
    description: str | None = None
    categories: Sequence[str] = ()
    long_description: str | None = None
    guides: Sequence[str] = ()


def texts_of(cls: type[Any]) -> Texts:
    """Return the files of the package that a type comes from."""
    kept: Texts | None = getattr(cls, "package_texts", None)  # of a plugin with an environment of its own
    if kept is not None:
        return kept
    package = cls.__module__.partition(".")[0]
    if not hasattr(sys.modules.get(package), "__path__"):
        return {}  # a module by itself has no folder of its own
    root = files(_BUILT_IN if package == "penstock" else package)
    return dict(text for folder, suffix in _FOLDERS.items() for text in _texts(root / folder, folder, suffix))


def _texts(folder: Traversable, path: str, suffix: str) -> Iterator[tuple[str, str]]:
    if folder.is_dir():
        for one in sorted(folder.iterdir(), key=lambda found: found.name):
            if one.is_dir():
                yield from _texts(one, f"{path}/{one.name}", suffix)
            elif one.name.endswith(suffix):
                yield f"{path}/{one.name}", one.read_text(encoding="utf-8")


def type_icon(texts: Texts, name: str) -> str | None:
    """Return the icon of a type: its own, or that of its group."""
    return texts.get(f"icons/{name}.svg") or group_icon(texts, name.rpartition(".")[0])


def group_icon(texts: Texts, group: str) -> str | None:
    """Return the icon of a group, of the nearest one around it that has one, or of the plugin."""
    while group:
        if found := texts.get(f"icons/{group}.svg"):
            return found
        group = group.rpartition(".")[0]
    return texts.get(_PLUGIN_ICON)


def plugin_page(texts: Texts, plugin: str) -> GroupPage:
    """Return what is said of a whole plugin."""
    return _page(texts, _read(texts, _INDEX), plugin, plugin)


def group_page(texts: Texts, group: str) -> GroupPage:
    """Return what is said of the types whose names begin with this."""
    root = str(_read(texts, _INDEX).get("group") or "")
    name = group.removeprefix(f"{root}.")
    said = _read(texts, _INDEX if group == root else f"metadata/{name}.yaml")
    return _page(texts, said, group, group.rpartition(".")[2])


def group_of(texts: Texts, plugin: str) -> str:
    """Return what the names of a plugin's types begin with, as it says; its own name when it says nothing."""
    return str(_read(texts, _INDEX).get("group") or plugin)


def _page(texts: Texts, said: Mapping[str, Any], group: str, title: str) -> GroupPage:
    known = str(said.get("group") or group)
    return GroupPage(
        title=str(said.get("title") or title),
        description=said.get("description"),
        categories=tuple(map(str, said.get("categories") or ("MISC",))),
        long_description=texts.get(f"doc/{known}.md") or said.get("body"),
        guides=tuple(path.removeprefix(_GUIDES).removesuffix(".md") for path in texts if path.startswith(_GUIDES)),
    )


def _read(texts: Texts, path: str) -> Mapping[str, Any]:
    found = read_yaml(texts.get(path, "")).data
    return found if isinstance(found, dict) else {}
