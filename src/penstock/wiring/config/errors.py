"""What can be wrong with a configuration."""

from __future__ import annotations

from penstock.base.errors import PenstockError


class ConfigurationError(PenstockError):
    """The configuration cannot be used; the server does not start."""

    code = "INVALID_CONFIGURATION"
