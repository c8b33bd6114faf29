"""How alembic runs our migrations: in the transaction of the connection it is handed."""

from __future__ import annotations

from alembic import context

from penstock.store.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
