"""Which Penstock this is."""

from __future__ import annotations


def penstock_version() -> str:
    """Return the installed version."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("penstock")
    except PackageNotFoundError:
        return "unknown"


def version_facts() -> dict[str, str]:
    """Return version, Python and platform, by name."""
    import platform

    return {
        "version": penstock_version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def version_line() -> str:
    """Return version, Python and platform in one line."""
    facts = version_facts()
    return f"penstock {facts['version']} (Python {facts['python']}, {facts['platform']})"
