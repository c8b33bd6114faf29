"""HTTP: parse, authorise, call one use case, render. Knows services, never a database."""

from penstock.api.app import create_api
from penstock.api.management import create_management
from penstock.api.services import Services
from penstock.api.settings import ApiSettings

__all__ = ["ApiSettings", "Services", "create_api", "create_management"]
