"""Blueprints: flows and dashboards to begin with."""

from penstock.services.blueprints.catalogue import Blueprint, BlueprintCatalogue, Kind

__all__ = ["Blueprint", "BlueprintCatalogue", "Kind"]
