"""Where secrets come from: the environment, folders of files, values given by hand, other services that keep them."""

from penstock.secrets.aws import AwsAccount, AwsSecrets, Selection
from penstock.secrets.cached import CachedSecrets, Caching
from penstock.secrets.chained import ChainedSecrets
from penstock.secrets.environment import EnvironmentSecrets
from penstock.secrets.files import FileSecrets
from penstock.secrets.given import GivenSecrets

__all__ = [
    "AwsAccount",
    "AwsSecrets",
    "CachedSecrets",
    "Caching",
    "ChainedSecrets",
    "EnvironmentSecrets",
    "FileSecrets",
    "GivenSecrets",
    "Selection",
]
