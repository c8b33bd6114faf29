"""The command lines of clouds, each logged in as the task's properties say: `AwsCLI`, `AzCLI`, `GCloudCLI`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from penstock.builtin.aws.connection import Account
from penstock.builtin.scripts.language import Language
from penstock.builtin.scripts.task import Stage
from penstock.builtin.tools.tool_task import ToolTask, private_file, private_folder
from penstock.sdk import Property

_AZURE_USER, _AZURE_PASSWORD, _AZURE_TENANT = "AZ_LOGIN_USERNAME", "AZ_LOGIN_PASSWORD", "AZ_LOGIN_TENANT"


class AwsCLI(Account, ToolTask):
    """Run commands that call the command line of AWS, one after the other, until one fails.

    ```yaml
    - id: list
      type: io.kestra.plugin.aws.cli.AwsCLI
      accessKeyId: "{{ secret('AWS_ACCESS_KEY_ID') }}"
      secretKeyId: "{{ secret('AWS_SECRET_KEY_ID') }}"
      region: eu-west-1
      commands:
        - aws s3 ls
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.aws.cli.AwsCLI"
    language: ClassVar[Language] = Language("AWS CLI", "cli", "amazon/aws-cli", "aws", "the Debian package `awscli`")

    output_format: Property[Literal["json", "text", "table", "yaml", "yaml-stream"]] | None = Field(
        None, description="How answers are written; `json` by default."
    )

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Return what the tool's environment says of who asks, and whom."""
        keys = self.keys(stage.context)
        for secret in (keys["aws_secret_access_key"], keys["aws_session_token"]):
            if secret:
                stage.context.mask(secret)
        return _given(
            AWS_ACCESS_KEY_ID=keys["aws_access_key_id"],
            AWS_SECRET_ACCESS_KEY=keys["aws_secret_access_key"],
            AWS_SESSION_TOKEN=keys["aws_session_token"],
            AWS_DEFAULT_REGION=keys["region_name"],
            AWS_REGION=keys["region_name"],
            AWS_ENDPOINT_URL=stage.context.render(self.endpoint_override),
            AWS_DEFAULT_OUTPUT=stage.context.render(self.output_format),
            AWS_PAGER="",
        )


class GCloudCLI(ToolTask):
    """Run commands that call the command line of Google Cloud, one after the other, until one fails.

    With a `serviceAccount` the commands act as it, and see nothing of an account the worker may be logged in with.

    Copy a folder into a bucket:

    ```yaml
    tasks:
      - id: copy
        type: io.kestra.plugin.gcp.cli.GCloudCLI
        projectId: company-data
        serviceAccount: "{{ secret('GCP_SERVICE_ACCOUNT') }}"
        commands:
          - gcloud storage cp --recursive reports gs://company-reports
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.gcp.cli.GCloudCLI"
    language: ClassVar[Language] = Language(
        "gcloud", "cli", "google/cloud-sdk", "gcloud", "the Google Cloud CLI as its makers pack it"
    )

    service_account: Property[str] | None = Field(None, description="The key of a service account, as JSON.")
    project_id: Property[str] | None = Field(None, description="The project.")

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Return where the tool finds its key, and which project is meant."""
        project = stage.context.render(self.project_id)
        key = stage.context.render(self.service_account)
        if not key:
            return _given(CLOUDSDK_CORE_PROJECT=project)
        stage.context.mask(key)
        path = private_file(stage, "service-account.json", key)
        return _given(
            CLOUDSDK_CORE_PROJECT=project,
            CLOUDSDK_CONFIG=private_folder(stage, "gcloud"),
            CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=path,
            GOOGLE_APPLICATION_CREDENTIALS=path,
        )


class AzCLI(ToolTask):
    """Run commands that call the command line of Azure, one after the other, until one fails.

    With a `username` the commands begin with a login, which ends with the task; without one, an account that the
    worker is logged in with counts.

    List what runs in a subscription:

    ```yaml
    tasks:
      - id: machines
        type: io.kestra.plugin.azure.cli.AzCLI
        servicePrincipal: true
        username: "{{ secret('AZURE_CLIENT_ID') }}"
        password: "{{ secret('AZURE_CLIENT_SECRET') }}"
        tenant: "{{ secret('AZURE_TENANT_ID') }}"
        commands:
          - az vm list --output table
    ```

    Implements SCR-010.
    """

    type_name = "io.kestra.plugin.azure.cli.AzCLI"
    language: ClassVar[Language] = Language(
        "Azure CLI", "cli", "mcr.microsoft.com/azure-cli", "az", "the Debian package `azure-cli`"
    )

    username: Property[str] | None = Field(
        None, description="Who logs in: a user's name, or the id of a service principal."
    )
    password: Property[str] | None = Field(None, description="The user's password, or the service principal's secret.")
    tenant: Property[str] | None = Field(None, description="The tenant; a service principal needs it.")
    service_principal: Property[bool] = Field(
        Property.of(False), description="Whether it is a service principal that logs in."
    )

    def prepare(self, stage: Stage) -> Mapping[str, str]:
        """Return with what the login is made, which stays in a folder of the task's own."""
        username, password = stage.context.render(self.username), stage.context.render(self.password)
        if not username:
            return {}
        if password:
            stage.context.mask(password)
        return {
            **_given(AZURE_CONFIG_DIR=private_folder(stage, "azure")),
            _AZURE_USER: username,
            _AZURE_PASSWORD: password or "",
            _AZURE_TENANT: stage.context.render(self.tenant, ""),
        }

    def lines(self, stage: Stage) -> Sequence[str]:
        """Return the commands, after the login."""
        return [*self._login(stage), *super().lines(stage)]

    def _login(self, stage: Stage) -> Sequence[str]:
        """Return the command that logs in; what is secret is no part of its text."""
        if not stage.context.render(self.username):
            return ()
        options = ["--service-principal"] if stage.context.render(self.service_principal) else []
        options += [f'--username "${_AZURE_USER}"', f'--password "${_AZURE_PASSWORD}"']
        if stage.context.render(self.tenant):
            options.append(f'--tenant "${_AZURE_TENANT}"')
        return [f"az login --output none {' '.join(options)}"]


def _given(**variables: str | None) -> dict[str, str]:
    return {name: value for name, value in variables.items() if value is not None}
