"""Removing by itself what is old: how long things are kept, and the walk that lets go of the rest."""

from penstock.services.retention.policy import FOREVER, Policy, Rule
from penstock.services.retention.service import PAUSE, RetentionService, Swept, keep_small
from penstock.services.retention.sizes import SizeReport, Sizes

__all__ = ["FOREVER", "PAUSE", "Policy", "RetentionService", "Rule", "SizeReport", "Sizes", "Swept", "keep_small"]
