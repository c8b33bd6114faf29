"""The words a plugin has for what went wrong."""

from __future__ import annotations

from penstock.base.errors import PenstockError


class PluginError(PenstockError):
    """The task cannot do its work; the attempt fails, and a retry policy applies."""

    code = "TASK_FAILED"


class PermanentError(PluginError):
    """Trying again will not help: the task run fails whatever its retry policy says."""

    code = "TASK_FAILED_PERMANENTLY"
