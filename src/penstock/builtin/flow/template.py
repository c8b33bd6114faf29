"""The tasks of a stored template in the place of one task: `Template`, of older flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.flow.sequence import InOrder
from penstock.sdk.flow import ID_PATTERN, NAMESPACE_PATTERN, CallKind, Scope, Step
from penstock.sdk.task import Output


class TemplateOutput(Output):
    """What `Template` gives its tasks."""

    args: dict[str, Any] = Field(description="The arguments, rendered.")


class Template(InOrder):
    """Run the tasks of a stored template one after another, as if they were written here.

    They read the arguments as `parent.outputs.args.<name>`, and all that the flow's tasks can read. Their ids become
    ids of this flow, so a template is used once in a flow. Needs `kestra.templates.enabled`.

    Run the tasks of a stored template:

    ```yaml
    tasks:
      - id: notify
        type: io.kestra.plugin.core.flow.Template
        namespace: company.shared
        templateId: notify
        args:
          channel: alerts
    ```

    Implements ENG-100, MIG-030.
    """

    type_name = "io.kestra.plugin.core.flow.Template"
    type_aliases = ("io.kestra.core.tasks.flows.Template",)
    type_deprecation = "write `Call` or `Subflow`, and make the template a flow with inputs"
    brings_in: ClassVar[bool] = True
    brings_tasks: ClassVar[bool] = True
    output_type: ClassVar[type[Output] | None] = TemplateOutput

    namespace: str = Field(pattern=NAMESPACE_PATTERN, description="Where the template is; no expression.")
    template_id: str = Field(pattern=ID_PATTERN, description="Which template; no expression.")
    args: dict[str, Any] | None = Field(None, description="What its tasks read as `parent.outputs.args`.")

    def lists(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """Return nothing: the tasks are those of the template."""
        return {}

    def target(self) -> tuple[CallKind, str | None, str, int | None]:
        """Return what it runs."""
        return CallKind.TEMPLATE, self.namespace, self.template_id, None

    def start(self, scope: Scope) -> Step:
        """Render the arguments, and begin with the first task."""
        args = {key: self._rendered(scope, value) for key, value in (self.args or {}).items()}
        return replace(super().start(scope), outputs={"args": args})

    @staticmethod
    def _rendered(scope: Scope, value: Any) -> Any:
        return scope.evaluate(value) if isinstance(value, str) else scope.render_nested(value)
