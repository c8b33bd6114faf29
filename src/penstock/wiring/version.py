"""Which Penstock this is."""

from __future__ import annotations


def penstock_version() -> str:
    """Return the installed version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("penstock")
    except PackageNotFoundError:
        return "unknown"


def version_line() -> str:
    """Return version, Python and platform in one line."""
    import platform

    return (
        f"penstock {penstock_version()} (Python {platform.python_version()}, {platform.system()} {platform.machine()})"
    )
