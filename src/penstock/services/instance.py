"""What an instance remembers about itself."""

from __future__ import annotations

import uuid

from penstock.ports.settings import SettingsStore

UUID_KEY = "penstock.instance.uuid"


class InstanceService:
    """The instance's own facts.

    Implements API-041 (`uuid`).

    Args:
        settings: Where they are kept.
    """

    def __init__(self, settings: SettingsStore) -> None:
        self._settings = settings
        self._uuid: str | None = None

    async def uuid(self) -> str:
        """Return the instance's id, made at the first call ever."""
        if self._uuid is None:
            known = await self._settings.get(UUID_KEY)
            self._uuid = str(known or await self._settings.keep(UUID_KEY, str(uuid.uuid4())))
        return self._uuid
