"""Blueprints: flows and dashboards to begin with."""

from penstock.services.blueprints.catalogue import Blueprint, BlueprintCatalogue, Kind
from penstock.services.blueprints.own import OwnBlueprint, OwnBlueprints

__all__ = ["Blueprint", "BlueprintCatalogue", "Kind", "OwnBlueprint", "OwnBlueprints"]
