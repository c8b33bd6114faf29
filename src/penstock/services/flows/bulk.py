"""Many flows at once: a namespace replaced by a text, flows switched off and on, archives in and out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from penstock.base.errors import InvalidRequestError, PenstockError
from penstock.model.problems import InvalidFlow
from penstock.model.yaml import read_yaml, split_documents
from penstock.ports.flows import Author, FlowName, StoredFlow
from penstock.services.archives import SourceFile, packed, unpacked
from penstock.services.flows.service import FlowService
from penstock.services.flows.verdicts import FlowChecker

_DISABLED = re.compile(r"^disabled[ \t]*:.*$", re.MULTILINE)


class FlowBulk:
    """Implements the bulk operations of API-100, UI-024, ENG-356.

    Args:
        flows: Writes them one by one.
        checker: Finds problems before anything is written.
    """

    def __init__(self, flows: FlowService, checker: FlowChecker) -> None:
        self._flows = flows
        self._checker = checker

    async def replace(
        self,
        tenant: str,
        text: str,
        author: Author | None = None,
        *,
        namespace: str | None,
        delete: bool,
        children: bool,
        override: bool = False,
    ) -> list[StoredFlow]:
        """Create or update the flows of a text that holds several; nothing is written when one of them is wrong.

        Args:
            tenant: Whose flows they are.
            text: YAML documents.
            author: Who saves them.
            namespace: The only one they may be of, and the one that is cleared; None: any, and nothing is cleared.
            delete: Whether other flows of the namespace are deleted.
            children: Whether the namespaces below it count as it.
            override: Whether flows of other namespaces are taken over into this one.

        Raises:
            InvalidFlow: One of them is no valid flow.
            InvalidRequestError: One is of another namespace, or there twice.
        """

        def belongs(name: str) -> bool:
            return namespace is None or name == namespace or (children and name.startswith(f"{namespace}."))

        sources = [source for source, _ in split_documents(text)]
        if override and namespace is not None:
            sources = [moved(source, namespace) for source in sources]
        wanted = await self._wanted(tenant, sources, belongs)
        stored = [await self._flows.put(tenant, source, author) for source in sources]
        if delete and namespace is not None:
            everything = await self._flows.all(tenant)
            gone = [(one.namespace, one.id) for one in everything if belongs(one.namespace)]
            await self._flows.delete_all(tenant, [name for name in gone if name not in wanted])
        return stored

    async def _wanted(self, tenant: str, sources: Sequence[str], belongs: Callable[[str], bool]) -> set[FlowName]:
        """Return the names of sources that may all be written."""
        wanted: set[FlowName] = set()
        for source in sources:
            parsed = await self._checker.read(tenant, source)
            if parsed.document is None or parsed.errors:
                raise InvalidFlow(parsed.problems)
            name = (parsed.document.namespace, parsed.document.id)
            if not belongs(name[0]):
                raise InvalidRequestError(
                    f"flow {'.'.join(name)} is of another namespace", hint="leave it out, or change its namespace"
                )
            if name in wanted:
                raise InvalidRequestError(f"flow {'.'.join(name)} is there twice", hint="leave one of them out")
            wanted.add(name)
        return wanted

    async def switch(
        self, tenant: str, names: Sequence[FlowName], author: Author | None = None, *, disabled: bool
    ) -> int:
        """Switch flows off or on, in their sources; returns how many changed.

        Raises:
            NotFoundError: One of them does not exist; then none is changed.
        """
        found = [await self._flows.get(tenant, *name) for name in names]
        changed = [flow for flow in found if flow.disabled is not disabled]
        for flow in changed:
            await self._flows.update(tenant, flow.namespace, flow.id, switched(flow.source, disabled), author)
        return len(changed)

    async def export(self, tenant: str, names: Sequence[FlowName]) -> bytes:
        """Return the sources of flows as a ZIP archive, each a file.

        Raises:
            NotFoundError: One of them does not exist.
        """
        found = [await self._flows.get(tenant, *name) for name in names]
        return packed(SourceFile(f"{one.namespace}.{one.id}.yml", one.source.encode()) for one in found)

    async def load(self, tenant: str, given: SourceFile, author: Author | None = None, *, fail: bool) -> list[str]:
        """Create or update the flows of a YAML file or a ZIP archive of them; returns which could not be read.

        Args:
            tenant: Whose flows they are.
            given: The file.
            author: Who saves them.
            fail: Whether one that is wrong is an error, instead of being left out.

        Raises:
            InvalidRequestError: The file is neither, or one of the flows is wrong and that is an error.
        """
        refused: list[str] = []
        for name, source in sources_of(given):
            try:
                await self._flows.put(tenant, source, author)
            except PenstockError:
                if fail:
                    raise
                refused.append(name)
        return refused


def sources_of(given: SourceFile) -> Iterator[tuple[str, str]]:
    """Yield the flows of a YAML file or a ZIP archive of them: how a message names each, and its source.

    Raises:
        InvalidRequestError: The file is neither.
    """
    for file in unpacked(given):
        text = file.content.decode("utf-8-sig", "replace")
        for number, (source, _) in enumerate(split_documents(text)):
            yield _name(source) or (f"{file.name}#{number + 1}" if number else file.name), source


def _name(source: str) -> str | None:
    data = read_yaml(source).data
    if not isinstance(data, dict) or not isinstance(data.get("id"), str):
        return None
    return f"{data.get('namespace')}.{data['id']}"


def switched(source: str, disabled: bool) -> str:
    """Return a source that is switched off or on; everything else stays as it was written."""
    line = f"disabled: {str(disabled).lower()}"
    changed, count = _DISABLED.subn(line, source, count=1)
    return changed if count else f"{source.rstrip()}\n{line}\n"


def moved(source: str, namespace: str) -> str:
    """Return a source as that of a flow of another namespace; everything else stays as it was written."""
    return re.sub(r"^namespace[ \t]*:.*$", f"namespace: {namespace}", source, count=1, flags=re.MULTILINE)
