"""What is needed to talk to a cluster of Google Kubernetes Engine: where it is, and a token for it."""

from __future__ import annotations

from datetime import UTC
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from penstock.builtin.gcp.account import Account, GcpError, translated
from penstock.builtin.serdes.files import library
from penstock.sdk import Output, Property, RunContext, Task

_API = "https://container.googleapis.com"
_PATIENCE = 60


class AccessToken(Output):
    """A token."""

    token_value: str = Field(description="The token.")
    expiration_time: str | None = Field(None, description="When it ends.")
    scopes: list[str] = Field(default_factory=list, description="What it allows.")


class TokenOutput(Output):
    """What `OauthAccessToken` gives."""

    access_token: AccessToken = Field(description="The token, with when it ends.")


class OauthAccessToken(Account, Task):
    """Get a token that Google's services know the account by, for about an hour. Needs `penstock[gcp]`.

    ```yaml
    - id: auth
      type: io.kestra.plugin.gcp.auth.OauthAccessToken
      serviceAccount: "{{ secret('GCP_SERVICE_ACCOUNT') }}"
    ```

    Implements SCR-083, SCR-084.
    """

    type_name = "io.kestra.plugin.gcp.auth.OauthAccessToken"
    output_type: ClassVar[type[Output] | None] = TokenOutput

    def run(self, context: RunContext) -> TokenOutput:
        """Ask for it."""
        with translated():
            credentials, _ = self.credentials(context)
            credentials.refresh(library("google.auth.transport.requests", "gcp").Request())
        context.mask(credentials.token)
        end = credentials.expiry
        return TokenOutput(
            access_token=AccessToken(
                token_value=credentials.token,
                expiration_time=end.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z") if end else None,
                scopes=context.render(self.scopes),
            )
        )


class MasterAuth(Output):
    """By what the cluster is recognised."""

    cluster_certificate: str | None = Field(None, description="Its certificate, for `caCertData`.")
    client_certificate: str | None = Field(None, description="The certificate of its user, where it has one.")
    client_key: str | None = Field(None, description="The key of that certificate.")


class ClusterOutput(Output):
    """What `ClusterMetadata` gives."""

    name: str = Field(description="The cluster's name.")
    description: str | None = Field(None, description="What it is for.")
    project: str = Field(description="Its project.")
    location: str | None = Field(None, description="Its region or zone.")
    endpoint: str = Field(description="The address of its API, without `https://`.")
    network: str | None = Field(None, description="Its network.")
    sub_network: str | None = Field(None, description="Its part of that network.")
    logging_service: str | None = Field(None, description="Where its logs go.")
    monitoring_service: str | None = Field(None, description="Where its measurements go.")
    create_time: str | None = Field(None, description="When it was made.")
    node_pools_count: int = Field(description="How many pools of nodes it has.")
    master_auth: MasterAuth = Field(description="By what it is recognised.")


class ClusterMetadata(Account, Task):
    """Ask where a cluster of Google Kubernetes Engine is, and by what it is recognised. Needs `penstock[gcp]`.

    ```yaml
    - id: metadata
      type: io.kestra.plugin.gcp.gke.ClusterMetadata
      serviceAccount: "{{ secret('GCP_SERVICE_ACCOUNT') }}"
      clusterProjectId: my-project
      clusterZone: europe-west1
      clusterId: my-cluster
    ```

    Implements SCR-084.
    """

    type_name = "io.kestra.plugin.gcp.gke.ClusterMetadata"
    output_type: ClassVar[type[Output] | None] = ClusterOutput

    cluster_id: Property[str] = Field(description="The cluster's name.")
    cluster_zone: Property[str] = Field(description="Its region or zone.")
    cluster_project_id: Property[str] | None = Field(None, description="Its project; `projectId` by default.")

    def run(self, context: RunContext) -> ClusterOutput:
        """Ask."""
        with translated():
            credentials, own = self.credentials(context)
            project = context.render(self.cluster_project_id) or context.render(self.project_id) or own
            if not project:
                raise GcpError("no project is named", hint="set `clusterProjectId`")
            named = (project, context.render(self.cluster_zone), context.render(self.cluster_id))
            path = "/v1/projects/{}/locations/{}/clusters/{}".format(*(quote(one, safe="") for one in named))
            address = (context.render(self.endpoint_override) or _API).rstrip("/")
            with library("google.auth.transport.requests", "gcp").AuthorizedSession(credentials) as session:
                answer = session.get(address + path, timeout=_PATIENCE)
        if not answer.ok:
            raise GcpError(f"the service does not tell of the cluster: {_said(answer)}", hint="see `clusterId`")
        return _output(answer.json(), project)


def _said(answer: Any) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _output(cluster: dict[str, Any], project: str) -> ClusterOutput:
    known = cluster.get("masterAuth") or {}
    return ClusterOutput(
        name=cluster["name"],
        description=cluster.get("description"),
        project=project,
        location=cluster.get("location"),
        endpoint=cluster.get("endpoint", ""),
        network=cluster.get("network"),
        sub_network=cluster.get("subnetwork"),
        logging_service=cluster.get("loggingService"),
        monitoring_service=cluster.get("monitoringService"),
        create_time=cluster.get("createTime"),
        node_pools_count=len(cluster.get("nodePools") or ()),
        master_auth=MasterAuth(
            cluster_certificate=known.get("clusterCaCertificate"),
            client_certificate=known.get("clientCertificate"),
            client_key=known.get("clientKey"),
        ),
    )
