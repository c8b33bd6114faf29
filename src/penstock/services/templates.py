"""Templates: lists of tasks that older flows share (ENG-100, MIG-030). Deprecated, and off unless enabled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from penstock.base.clock import Clock
from penstock.base.errors import ConflictError, InvalidRequestError, NotFoundError
from penstock.model.flow import ParsedFlow
from penstock.model.problems import InvalidFlow, Problem, Severity
from penstock.model.references import CODES
from penstock.model.yaml import split_documents
from penstock.ports.flows import StoredFlow
from penstock.ports.notifier import Notifier
from penstock.ports.templates import TemplateStore
from penstock.services.archives import SourceFile, packed, unpacked
from penstock.services.flows import FlowCatalog, Verdict

TOPIC = "templates"
_PROPERTIES = frozenset(("id", "namespace", "description", "tasks", "errors", "revision"))


class TemplateService:
    """Templates of a tenant: create, update, read, delete, check, import, export.

    Implements API-112.

    Args:
        templates: Where they are stored; None where templates are not enabled.
        parse: Reads the source of a tenant's template, as that of a flow.
        catalog: Forgets what it knew of a template that changes.
        notifier: Tells everybody else.
        clock: Dates revisions.
    """

    def __init__(
        self,
        templates: TemplateStore | None,
        parse: Callable[[str, str], ParsedFlow],
        catalog: FlowCatalog | None,
        notifier: Notifier,
        clock: Clock,
    ) -> None:
        self._templates = templates
        self._parse = parse
        self._catalog = catalog
        self._notifier = notifier
        self._clock = clock

    @property
    def enabled(self) -> bool:
        """Whether the instance has templates."""
        return self._templates is not None

    def check(self, tenant: str, text: str) -> list[Verdict]:
        """Return one verdict for each document of a text."""
        self._store()
        documents = split_documents(text) or [(text, 1)]
        return [self._verdict(tenant, source, index) for index, (source, _) in enumerate(documents)]

    async def create(self, tenant: str, source: str) -> StoredFlow:
        """Store a new template.

        Raises:
            InvalidFlow: The source is no valid template.
            InvalidRequestError: There is such a template already.
        """
        template = self._read(tenant, source)
        try:
            return await self._save(template, is_new=True)
        except ConflictError as error:
            raise InvalidRequestError(error.message, hint=error.hint) from error

    async def update(self, tenant: str, namespace: str, template_id: str, source: str) -> StoredFlow:
        """Store a new revision of a template.

        Raises:
            NotFoundError: There is no such template.
            InvalidFlow: The source is no valid template.
            InvalidRequestError: The source names another one.
        """
        latest = await self.get(tenant, namespace, template_id)
        template = self._read(tenant, source)
        if (template.namespace, template.id) != (namespace, template_id):
            raise InvalidRequestError(
                f"the source is template {template.namespace}.{template.id}, not {namespace}.{template_id}",
                hint="the namespace and the id of a template cannot change",
            )
        return latest if latest.source == source else await self._save(template, is_new=False)

    async def replace_all(self, tenant: str, namespace: str, text: str, *, delete: bool) -> list[StoredFlow]:
        """Make the documents of a text the templates of a namespace; others are deleted when that is asked for."""
        wanted = [self._read(tenant, source) for source, _ in split_documents(text)]
        for one in wanted:
            if one.namespace != namespace:
                raise InvalidRequestError(f"template {one.namespace}.{one.id} is not of namespace {namespace}")
        kept = {one.id for one in wanted}
        for one in await self.all(tenant) if delete else ():
            if one.namespace == namespace and one.id not in kept:
                await self.delete(tenant, namespace, one.id)
        return [await self._save(one, is_new=False) for one in wanted]

    async def load(self, tenant: str, given: SourceFile) -> list[str]:
        """Create or update the templates of a YAML file or a ZIP archive; returns the names of those that are wrong."""
        refused = []
        for file in unpacked(given):
            for number, (source, _) in enumerate(split_documents(file.content.decode("utf-8-sig", "replace")), 1):
                try:
                    await self._save(self._read(tenant, source), is_new=False)
                except InvalidFlow:
                    refused.append(f"{file.name}#{number}")
        return refused

    async def export(self, tenant: str, names: Sequence[tuple[str, str]]) -> bytes:
        """Return the sources of templates as a ZIP archive.

        Raises:
            NotFoundError: One of them does not exist.
        """
        found = [await self.get(tenant, *name) for name in names]
        return packed(SourceFile(f"{one.namespace}.{one.id}.yml", one.source.encode()) for one in found)

    async def get(self, tenant: str, namespace: str, template_id: str) -> StoredFlow:
        """Return the latest revision of a template.

        Raises:
            NotFoundError: There is none.
        """
        found = await self._store().get(tenant, namespace, template_id)
        if found is None:
            raise NotFoundError(f"there is no template {namespace}.{template_id}")
        return found

    async def all(self, tenant: str, query: str = "", namespace: str = "") -> list[StoredFlow]:
        """Return templates by namespace and id: those with a text in their name, of a namespace and those below."""
        text = query.lower()
        return [
            one
            for one in await self._store().all_latest(tenant)
            if text in f"{one.namespace}.{one.id}".lower()
            and (not namespace or f"{one.namespace}.".startswith(f"{namespace}."))
        ]

    async def delete(self, tenant: str, namespace: str, template_id: str) -> None:
        """Delete a template; executions that use it go on.

        Raises:
            NotFoundError: There is no such template.
        """
        if not await self._store().delete(tenant, namespace, template_id, self._clock.now()):
            raise NotFoundError(f"there is no template {namespace}.{template_id}")
        await self._changed(tenant, namespace, template_id)

    async def delete_all(self, tenant: str, names: Sequence[tuple[str, str]]) -> int:
        """Delete several templates; those that do not exist (any more) are passed over."""
        count = 0
        for namespace, template_id in names:
            if await self._store().delete(tenant, namespace, template_id, self._clock.now()):
                await self._changed(tenant, namespace, template_id)
                count += 1
        return count

    def _store(self) -> TemplateStore:
        if self._templates is None:
            raise NotFoundError("templates are not enabled", hint="set `kestra.templates.enabled: true`")
        return self._templates

    def _read(self, tenant: str, source: str) -> StoredFlow:
        verdict = self._verdict(tenant, source, 0)
        if verdict.of(Severity.ERROR) or verdict.namespace is None or verdict.flow_id is None:
            raise InvalidFlow(verdict.problems)
        return StoredFlow(tenant, verdict.namespace, verdict.flow_id, 0, source, self._clock.now())

    def _verdict(self, tenant: str, source: str, index: int) -> Verdict:
        parsed = self._parse(tenant, source)
        # What a template's expressions refer to is declared by the flows that use it.
        problems = [problem for problem in parsed.problems if problem.code not in CODES]
        for name in sorted(set(parsed.data) - _PROPERTIES):
            place = parsed.position((name,))
            hint = "a template has `id`, `namespace`, `description`, `tasks` and `errors`"
            message = f"a template has no `{name}`"
            problems.append(Problem(Severity.ERROR, name, message, hint, place.line, place.column))
        namespace, template_id = parsed.data.get("namespace"), parsed.data.get("id")
        return Verdict(
            index,
            namespace if isinstance(namespace, str) else None,
            template_id if isinstance(template_id, str) else None,
            problems,
        )

    async def _save(self, template: StoredFlow, *, is_new: bool) -> StoredFlow:
        saved = await self._store().save(replace(template, revision=0), is_new=is_new)
        await self._changed(saved.tenant, saved.namespace, saved.id)
        return saved

    async def _changed(self, tenant: str, namespace: str, template_id: str) -> None:
        if self._catalog is not None:
            self._catalog.forget(tenant, namespace, template_id)
        await self._notifier.publish(TOPIC, [f"{tenant}/{namespace}/{template_id}"])
