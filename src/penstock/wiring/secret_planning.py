"""What keeps the secrets of namespaces, as the configuration says."""

from __future__ import annotations

from pydantic import SecretStr

from penstock.ports.secrets import SecretManager
from penstock.secrets import AwsAccount, AwsSecrets, Caching, Selection
from penstock.wiring.config.settings import SecretCache, Secrets


def secret_manager(given: Secrets) -> SecretManager | None:
    """Return what keeps them; None for the database (GOV-227)."""
    if given.type != "aws-secret-manager":
        return None
    aws = given.aws_secret_manager
    account = AwsAccount(
        _text(aws.access_key_id),
        _text(aws.secret_key_id),
        _text(aws.session_token),
        aws.region,
        aws.endpoint_override,
    )
    chosen = Selection(aws.filter_on_tags.tags, aws.filter_on_prefix.prefix, aws.filter_on_prefix.keep_prefix)
    return AwsSecrets(account, aws.prefix, chosen)


def secret_caching(given: SecretCache) -> Caching | None:
    """Return how values are kept in memory (GOV-228)."""
    return Caching(given.maximum_size, given.expire_after_write) if given.enabled else None


def secret_tags(given: Secrets) -> tuple[tuple[str, str], ...]:
    """Return the tags of every secret that is written (GOV-229)."""
    kept = given.aws_secret_manager if given.type == "aws-secret-manager" else given.jdbc
    return tuple(kept.tags.items())


def _text(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()
