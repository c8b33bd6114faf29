"""Ansible, and a callback for it that tells of each of its tasks: `AnsibleCLI`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import ClassVar

from pydantic import Field

from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.task import Stage
from penstock.builtin.tools.tool_task import ToolTask, generated_file
from penstock.sdk import Property

_CONFIG = "ansible.cfg"
_CALLBACK = "callback_plugins/kestra_logger.py"


class AnsibleCLI(ToolTask):
    """Run commands that call Ansible, one after the other, until one fails.

    With the callback `kestra_logger` every Ansible task is a line of the logs, and `vars.outputs` lists their results
    (`task`, `host`, `changed`, `failed`, `skipped`, `unreachable`, `msg`, `stdout`):

    ```yaml
    - id: configure
      type: io.kestra.plugin.ansible.cli.AnsibleCLI
      ansibleConfig: |
        [defaults]
        callback_plugins = ./callback_plugins
        stdout_callback = kestra_logger
      namespaceFiles:
        enabled: true
      commands:
        - ansible-playbook -i inventory.ini playbook.yml
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.ansible.cli.AnsibleCLI"
    language: ClassVar[Language] = Language(
        "Ansible", "cli", "cytopia/ansible:latest-tools", "ansible-playbook", "the Debian package `ansible-core`"
    )

    ansible_config: Property[str] | None = Field(None, description="The text of `ansible.cfg`.")

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Write the configuration, and the callback it may name."""
        if not stage.context.resolve(_CALLBACK).exists():
            callback = resources.files(__package__).joinpath("kestra_logger.py")
            generated_file(stage, _CALLBACK, callback.read_text("utf-8"))
        text = stage.renderer.render(self.ansible_config, "")
        if not text:
            return {}
        generated_file(stage, _CONFIG, text)
        # Ansible takes no configuration from a folder that everybody may write to unless it is named.
        return {"ANSIBLE_CONFIG": str(stage.place / _CONFIG)}
