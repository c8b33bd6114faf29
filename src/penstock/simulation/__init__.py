"""Deterministic simulation: the real loops on a simulated clock, database and network, as one seed decides."""
