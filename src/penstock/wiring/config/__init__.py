"""Configuration: where its values come from, what they mean, and the typed settings they make."""

from penstock.wiring.config.configuration import Configuration, load
from penstock.wiring.config.errors import ConfigurationError
from penstock.wiring.config.settings import Settings

__all__ = ["Configuration", "ConfigurationError", "Settings", "load"]
