"""Where secrets come from without any other service: the environment, folders of files, values given by hand."""

from penstock.secrets.chained import ChainedSecrets
from penstock.secrets.environment import EnvironmentSecrets
from penstock.secrets.files import FileSecrets
from penstock.secrets.given import GivenSecrets

__all__ = ["ChainedSecrets", "EnvironmentSecrets", "FileSecrets", "GivenSecrets"]
