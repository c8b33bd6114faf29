"""Who asks which service, and where."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import Field

from penstock.builtin.serdes.files import library
from penstock.sdk import PluginError, PluginModel, Property, RunContext

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GcpError(PluginError):
    """A service did not do what it was asked for."""

    code = "GCP_FAILED"


class Account(PluginModel):
    """Properties of everything that speaks to a service.

    Without a service account, what the worker has counts: its environment, or the machine it runs on.
    """

    project_id: Property[str] | None = Field(None, description="The project; that of the service account by default.")
    service_account: Property[str] | None = Field(None, description="The service account's key: the text of its file.")
    impersonated_service_account: Property[str] | None = Field(
        None, description="A service account to act as, by its address."
    )
    scopes: Property[list[str]] = Field(Property.of([_SCOPE]), description="What is asked to be allowed.")
    endpoint_override: Property[str] | None = Field(
        None, description="The address of a service that speaks as Google's does."
    )

    @contextmanager
    def storage(self, context: RunContext) -> Iterator[Any]:
        """Give a client of Cloud Storage; what it complains of is raised as GcpError."""
        with translated():
            credentials, project = self.credentials(context)
            address = context.render(self.endpoint_override)
            client = library("google.cloud.storage", "gcp").Client(
                project=context.render(self.project_id) or project,
                credentials=credentials,
                client_options={"api_endpoint": address} if address else None,
            )
            try:
                yield client
            finally:
                client.close()

    def credentials(self, context: RunContext) -> tuple[Any, str | None]:
        """Return by what one is allowed to ask, and the project it is of."""
        scopes, key = context.render(self.scopes), context.render(self.service_account)
        credentials: Any
        if key is None:
            credentials, project = library("google.auth", "gcp").default(scopes=scopes)
        else:
            accounts = library("google.oauth2.service_account", "gcp")
            try:
                known = json.loads(key, strict=False)
                credentials = accounts.Credentials.from_service_account_info(known, scopes=scopes)
            except (ValueError, KeyError, AttributeError):  # whose text might show a part of the key
                hint = "give all of the text of its file"
                raise GcpError("`serviceAccount` is not the key of a service account", hint=hint) from None
            project = known.get("project_id")
        target = context.render(self.impersonated_service_account)
        if target is not None:
            made = library("google.auth.impersonated_credentials", "gcp").Credentials
            credentials = made(source_credentials=credentials, target_principal=target, target_scopes=scopes)
        return credentials, project


@contextmanager
def translated(asked_for: str = "bucket or object") -> Iterator[None]:
    """Raise what the client library complains of as GcpError; `asked_for` is what may not be there."""
    calls, auth = library("google.api_core.exceptions", "gcp"), library("google.auth.exceptions", "gcp")
    requests = library("requests", "gcp")
    try:
        yield
    except calls.NotFound:
        raise GcpError(
            f"there is no such {asked_for}", hint=f"see how the {asked_for} is called, and the project"
        ) from None
    except (calls.Unauthorized, calls.Forbidden, auth.GoogleAuthError) as error:
        raise GcpError(f"that is not allowed: {_words(error)}", hint="see `serviceAccount` and its roles") from None
    except (calls.GoogleAPIError, requests.RequestException) as error:
        raise GcpError(f"the service refuses: {_words(error)}", hint="see the properties of the task") from None


def _words(error: Exception) -> str:
    return str(getattr(error, "message", None) or error)
