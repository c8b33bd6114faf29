"""The tools that need nothing but their name."""

from __future__ import annotations

from typing import ClassVar

from penstock.builtin.scripts.language import Language
from penstock.builtin.tools.tool_task import ToolTask


class DataformCLI(ToolTask):
    """Run commands that call Dataform, one after the other, until one fails.

    Compile a project of the namespace's files:

    ```yaml
    tasks:
      - id: compile
        type: io.kestra.plugin.dataform.cli.DataformCLI
        namespaceFiles:
          enabled: true
        beforeCommands:
          - npm install @dataform/core
        commands:
          - dataform compile
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.dataform.cli.DataformCLI"
    language: ClassVar[Language] = Language(
        "Dataform", "cli", "dataformco/dataform", "dataform", "the npm package `@dataform/cli`"
    )


class ModalCLI(ToolTask):
    """Run commands that call Modal, one after the other, until one fails.

    The tokens are environment variables: `env: {MODAL_TOKEN_ID: ..., MODAL_TOKEN_SECRET: ...}`.

    Run a function in the cloud:

    ```yaml
    tasks:
      - id: train
        type: io.kestra.plugin.modal.cli.ModalCLI
        namespaceFiles:
          enabled: true
        env:
          MODAL_TOKEN_ID: "{{ secret('MODAL_TOKEN_ID') }}"
          MODAL_TOKEN_SECRET: "{{ secret('MODAL_TOKEN_SECRET') }}"
        commands:
          - modal run train.py
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.modal.cli.ModalCLI"
    language: ClassVar[Language] = Language(
        "Modal", "cli", "ghcr.io/kestra-io/modal", "modal", "the PyPI package `modal`"
    )


class OpenTofuCLI(ToolTask):
    """Run commands that call OpenTofu, one after the other, until one fails.

    Tell what would change, from the namespace's files:

    ```yaml
    tasks:
      - id: plan
        type: io.kestra.plugin.opentofu.cli.OpenTofuCLI
        namespaceFiles:
          enabled: true
        beforeCommands:
          - tofu init -input=false
        commands:
          - tofu plan -input=false
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.opentofu.cli.OpenTofuCLI"
    language: ClassVar[Language] = Language(
        "OpenTofu", "cli", "ghcr.io/opentofu/opentofu", "tofu", "OpenTofu as its makers pack it"
    )


class SQLMeshCLI(ToolTask):
    """Run commands that call SQLMesh, one after the other, until one fails.

    Apply a plan without asking:

    ```yaml
    tasks:
      - id: plan
        type: io.kestra.plugin.sqlmesh.cli.SQLMeshCLI
        namespaceFiles:
          enabled: true
        commands:
          - sqlmesh plan --auto-apply
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.sqlmesh.cli.SQLMeshCLI"
    language: ClassVar[Language] = Language(
        "SQLMesh", "cli", "ghcr.io/kestra-io/sqlmesh", "sqlmesh", "the PyPI package `sqlmesh`"
    )


class TerraformCLI(ToolTask):
    """Run commands that call Terraform, one after the other, until one fails.

    ```yaml
    - id: apply
      type: io.kestra.plugin.terraform.cli.TerraformCLI
      beforeCommands:
        - terraform init
      commands:
        - terraform apply -auto-approve
      namespaceFiles:
        enabled: true
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.terraform.cli.TerraformCLI"
    language: ClassVar[Language] = Language(
        "Terraform", "cli", "hashicorp/terraform", "terraform", "Terraform as its makers pack it"
    )


class TerragruntCLI(ToolTask):
    """Run commands that call Terragrunt, one after the other, until one fails.

    Tell what would change in all modules:

    ```yaml
    tasks:
      - id: plan
        type: io.kestra.plugin.terragrunt.cli.TerragruntCLI
        namespaceFiles:
          enabled: true
        commands:
          - terragrunt run-all plan
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.terragrunt.cli.TerragruntCLI"
    language: ClassVar[Language] = Language(
        "Terragrunt", "cli", "alpine/terragrunt", "terragrunt", "Terragrunt as its makers pack it"
    )
