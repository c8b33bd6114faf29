"""Who asks which service, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any

from pydantic import Field

from penstock.builtin.serdes.files import library
from penstock.sdk import PluginError, PluginModel, Property, RunContext

_CONNECT, _ANSWER = 10, 60
Text = Property[str] | None


class AwsError(PluginError):
    """A service did not do what it was asked for."""

    code = "AWS_FAILED"


class Account(PluginModel):
    """Properties of everything that speaks to a service.

    Without keys, those of the worker count: its environment, its files, its role.
    """

    access_key_id: Text = Field(None, description="The access key.")
    secret_key_id: Text = Field(None, description="The secret that belongs to the access key.")
    session_token: Text = Field(None, description="The token of a session, for keys that have one.")
    region: Text = Field(None, description="The region, as in eu-west-1.")
    endpoint_override: Text = Field(None, description="The address of a service that speaks as AWS does.")
    sts_role_arn: Text = Field(None, description="A role to take first.")
    sts_role_external_id: Text = Field(None, description="The external id that the role asks for.")
    sts_role_session_name: Text = Field(None, description="The name of the session in that role.")
    sts_role_session_duration: Property[timedelta] = Field(
        Property.of(timedelta(minutes=15)), description="How long the session in that role lasts."
    )
    sts_endpoint_override: Text = Field(None, description="The address of the service that gives roles.")

    def client(self, context: RunContext, service: str, **options: Any) -> Any:
        """Return a client of a service.

        Args:
            context: Of the task or trigger.
            service: Its name, such as `s3`.
            options: What its configuration says besides.
        """
        configuration = library("botocore.config", "aws").Config(
            connect_timeout=_CONNECT, read_timeout=_ANSWER, **options
        )
        given = self.keys(context)
        address = context.render(self.endpoint_override)
        try:
            return _session(given).client(service, endpoint_url=address, config=configuration)
        except ValueError:
            hint = "write it like https://host:9000"
            raise AwsError("`endpointOverride` is no address of a service", hint=hint) from None

    def keys(self, context: RunContext) -> dict[str, str | None]:
        """Return by which keys one asks, in which region: those of a session in the role, where there is one."""
        given: dict[str, str | None] = {
            "aws_access_key_id": context.render(self.access_key_id),
            "aws_secret_access_key": context.render(self.secret_key_id),
            "aws_session_token": context.render(self.session_token),
            "region_name": context.render(self.region),
        }
        role = context.render(self.sts_role_arn)
        return given if role is None else {**given, **self._in_role(context, _session(given), role)}

    def _in_role(self, context: RunContext, session: Any, role: str) -> dict[str, str]:
        """Return the keys of a session in a role."""
        wish: dict[str, Any] = {
            "RoleArn": role,
            "RoleSessionName": context.render(self.sts_role_session_name, "penstock"),
            "DurationSeconds": int(context.render(self.sts_role_session_duration).total_seconds()),
        }
        external = context.render(self.sts_role_external_id)
        if external is not None:
            wish["ExternalId"] = external
        found = session.client("sts", endpoint_url=context.render(self.sts_endpoint_override)).assume_role(**wish)
        keys = found["Credentials"]
        return {
            "aws_access_key_id": keys["AccessKeyId"],
            "aws_secret_access_key": keys["SecretAccessKey"],
            "aws_session_token": keys["SessionToken"],
        }


def _session(given: Mapping[str, str | None]) -> Any:
    """Return who asks, with descriptions of the services that are read once: that takes a tenth of a second."""
    boto3, loader = library("boto3", "aws"), _descriptions()
    core = library("botocore.session", "aws").Session()
    core.register_component("data_loader", loader)
    session = boto3.Session(botocore_session=core, **given)
    loader.search_paths[:] = dict.fromkeys(loader.search_paths)  # to which each session adds its own
    return session


@cache
def _descriptions() -> Any:
    return library("botocore.loaders", "aws").create_loader()


@contextmanager
def translated() -> Iterator[None]:
    """Raise what the client library complains of as AwsError."""
    errors = library("botocore.exceptions", "aws")
    boto3 = library("boto3.exceptions", "aws")
    try:
        yield
    except errors.NoRegionError:
        raise AwsError("it is not said in which region", hint="set `region`") from None
    except errors.NoCredentialsError:
        hint = "set `accessKeyId` and `secretKeyId`, or give the worker a role"
        raise AwsError("nobody says who asks", hint=hint) from None
    except errors.ClientError as error:
        said = error.response.get("Error", {})
        raise AwsError(
            f"{error.operation_name} failed: {said.get('Message') or said.get('Code')}",
            hint=f"the service says {said.get('Code')}; see the names, and what the account may do",
        ) from None
    except (errors.BotoCoreError, boto3.Boto3Error) as error:
        hint = "see `endpointOverride`, `region` and the keys"
        raise AwsError(f"the service cannot be asked: {error}", hint=hint) from None
