"""Internal storage on local disk. Other back ends are plugins."""

from penstock.storage.local import LocalStorage

__all__ = ["LocalStorage"]
