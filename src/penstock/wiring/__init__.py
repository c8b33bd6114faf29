"""Settings and entry points turned into objects: the only place that names concrete stores, storages and back ends."""
