"""What all tasks on objects have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Literal

from pydantic import Field

from penstock.builtin.aws.connection import Account, Text, translated
from penstock.sdk import Property, RunContext

RequestPayer = Literal["requester"]


class Store(Account):
    """A service that stores objects."""

    force_path_style: Property[bool] = Field(
        Property.of(False), description="Name the bucket in the path, not in the host, as other services often want it."
    )
    compatibility_mode: Property[bool] = Field(
        Property.of(False), description="Ask for nothing that services other than AWS may not know."
    )
    expected_bucket_owner: Text = Field(None, description="The account that must own the bucket.")
    request_payer: Property[RequestPayer] | None = Field(None, description="Whether who asks pays.")

    @contextmanager
    def objects(self, context: RunContext) -> Iterator[Any]:
        """Give a client; what it complains of is raised as AwsError."""
        options: dict[str, Any] = {}
        is_plain = context.render(self.compatibility_mode)
        if is_plain:
            options = {"request_checksum_calculation": "when_required", "response_checksum_validation": "when_required"}
        if is_plain or context.render(self.force_path_style):
            options["s3"] = {"addressing_style": "path"}
        with translated(), closing(self.client(context, "s3", **options)) as client:
            yield client


class Bucket(Store):
    """A bucket of objects."""

    bucket: Property[str] = Field(description="The bucket.")

    def who(self, context: RunContext) -> dict[str, str]:
        """Return what every request says."""
        return given(
            Bucket=context.render(self.bucket),
            RequestPayer=context.render(self.request_payer),
            ExpectedBucketOwner=context.render(self.expected_bucket_owner),
        )


def given(**arguments: Any) -> dict[str, Any]:
    """Return the arguments that are given."""
    return {name: value for name, value in arguments.items() if value is not None}
