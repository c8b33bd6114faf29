"""The types every server has. They live by the rule of every plugin: of Penstock they import `penstock.sdk` alone.

`types.json` names them all, so that only modules of types in use are imported; `python -m scripts.builtin_types` writes
it from the classes.
"""
