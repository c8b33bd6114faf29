"""What the shell needs from outside, as small protocols named by role.

Implementations live in store, storage, secrets and services. From here up, whatever waits is asyncio. Every protocol
has a contract suite in `penstock.testing` that runs against every implementation.
"""
