"""Deterministic simulation: the real loops on a simulated clock, database and network, one seed deciding what happens."""
