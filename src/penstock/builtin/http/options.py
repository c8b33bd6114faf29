"""How an HTTP call is made: authentication, time limits, redirects, TLS, proxy, and which answers count as success."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from penstock.sdk import PluginModel, Property


class HttpAuth(PluginModel):
    """Who is calling."""

    type: Literal["BASIC", "BEARER", "DIGEST"] = Field(description="How the caller shows who it is.")
    username: Property[str] | None = Field(None, description="For BASIC and DIGEST.")
    password: Property[str] | None = Field(None, description="For BASIC and DIGEST.")
    token: Property[str] | None = Field(None, description="For BEARER.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "BEARER" and self.token is None:
            raise ValueError("`token` is missing, which BEARER needs")
        if self.type != "BEARER" and self.username is None:
            raise ValueError(f"`username` is missing, which {self.type} needs")
        return self


class HttpTimeout(PluginModel):
    """How long to wait."""

    connect_timeout: Property[timedelta] | None = Field(None, description="For a connection; 10 seconds by default.")
    read_idle_timeout: Property[timedelta] | None = Field(
        None, description="For the next piece of the answer; 5 minutes by default."
    )


class HttpTls(PluginModel):
    """How far to trust the other side."""

    insecure_trust_all_certificates: Property[bool] | None = Field(
        None, description="Accept any certificate. Everything sent can then be read and changed on its way."
    )


class HttpProxy(PluginModel):
    """The proxy to go through."""

    type: Literal["DIRECT", "HTTP", "SOCKS"] = Field("HTTP", description="DIRECT goes through none.")
    address: Property[str] | None = Field(None, description="Its host name.")
    port: Property[int] | None = Field(None, description="Its port.")
    username: Property[str] | None = None
    password: Property[str] | None = None


class HttpOptions(PluginModel):
    """The property `options` of HTTP tasks."""

    timeout: HttpTimeout | None = None
    auth: HttpAuth | None = None
    ssl: HttpTls | None = None
    proxy: HttpProxy | None = None
    follow_redirects: Property[bool] = Field(Property.of(True), description="Go where a redirect points to.")
    allow_failed: Property[bool] = Field(Property.of(False), description="Succeed whatever the status is.")
    allowed_response_codes: Property[list[int]] | None = Field(
        None, description="The only statuses that count as success; by default those from 200 to 299."
    )
    default_charset: Property[str] = Field(
        Property.of("UTF-8"), description="The encoding of an answer that names none."
    )
    basic_auth_user: Property[str] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `auth.username`."
    )
    basic_auth_password: Property[str] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `auth.password`."
    )
    connect_timeout: Property[timedelta] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `timeout.connectTimeout`."
    )
    read_timeout: Property[timedelta] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `timeout.readIdleTimeout`."
    )
    read_idle_timeout: Property[timedelta] | None = Field(
        None, json_schema_extra={"deprecated": True}, description="The older form of `timeout.readIdleTimeout`."
    )
