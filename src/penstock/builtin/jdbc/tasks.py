"""What tasks and triggers of every database have in common. Each database adds how it is reached."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, ClassVar

from pydantic import Field

from penstock.builtin.jdbc.address import Address, server_address
from penstock.builtin.jdbc.fetching import Fetched, Fetching, FetchType, started_by, taken
from penstock.builtin.jdbc.session import Session
from penstock.builtin.jdbc.statements import Statement, Syntax, only_statement, some, statements_of
from penstock.builtin.jdbc.values import bindable
from penstock.sdk import MetricNote, Output, PluginModel, PollingTrigger, Property, RunContext, Task, TriggerEvent


class ManyFetched(Output):
    """What several statements give."""

    outputs: list[Fetched] = Field(description="What each statement gives that answers with rows, in their order.")


class Connected(PluginModel):
    """A database, and who asks."""

    syntax: ClassVar[Syntax]

    url: Property[str] = Field(description="The database's address, as in jdbc:postgresql://host:5432/database.")
    username: Property[str] | None = Field(None, description="The user.")
    password: Property[str] | None = Field(None, description="The user's password.")
    time_zone_id: Property[str] | None = Field(None, description="The time zone of the session; UTC by default.")

    @abstractmethod
    def session(self, context: RunContext) -> AbstractContextManager[Session]:
        """Give a connection, closed at the end."""

    def more_variables(self, context: RunContext) -> Mapping[str, Any]:
        """Return what SQL may name beside the variables of the execution."""
        return {}

    def left(self, context: RunContext) -> Mapping[str, Any]:
        """Return outputs beside those of the statements, as flows name them. The connection is closed by then."""
        return {}

    def server(self, context: RunContext, schemes: tuple[str, ...]) -> Address:
        """Return which server is meant, and who asks; what is secret of it is masked in the logs from now on.

        Raises:
            AddressError: `url` is of another database, or no address at all.
        """
        username, password = context.render(self.username), context.render(self.password)
        address = server_address(context.render(self.url), schemes, username, password)
        for secret in address.secrets:
            context.mask(secret)
        return address

    def zone(self, context: RunContext) -> str:
        """Return the time zone of the session."""
        return context.render(self.time_zone_id, "UTC")


class Querying(Connected, Fetching):
    """SQL with parameters."""

    sql: Property[str] = Field(description="The SQL to run.")
    parameters: Property[dict[str, Any]] | None = Field(
        None, description="Values by name for what SQL writes as `:name`; safe from whatever the values hold."
    )

    def text(self, context: RunContext, sql: Property[str] | None) -> str:
        """Return rendered SQL."""
        if sql is None:
            return ""
        return context.render_text(str(sql.raw), self.more_variables(context))

    def values(self, context: RunContext) -> Mapping[str, Any] | None:
        """Return the values of parameters; None when there are none, and a colon means nothing."""
        given = context.render(self.parameters)
        return None if given is None else {name: bindable(value) for name, value in given.items()}

    def fetched_together(self, context: RunContext) -> int:
        """Return how many rows are fetched together."""
        return context.render(self.fetch_size)


class OneStatement(Querying):
    """One statement, and others after it in the same transaction."""

    after_sql: Property[str] | None = Field(
        None, alias="afterSQL", description="SQL to run after the query, in the same transaction."
    )

    def statement(self, context: RunContext) -> Statement:
        """Return the statement."""
        return only_statement(self.text(context, self.sql), self.syntax)

    def following(self, context: RunContext) -> Sequence[Statement]:
        """Return the statements after it."""
        return statements_of(self.text(context, self.after_sql), self.syntax)

    def follow(self, context: RunContext, session: Session) -> None:
        """Run the statements after it."""
        _run_all(context, session, self.following(context), self.values(context))


class QueryTask(OneStatement, Task):
    """Runs one statement."""

    output_type: ClassVar[type[Output] | None] = Fetched
    type_metrics = (MetricNote("fetch.size", "counter", "How many rows were fetched."),)

    def run(self, context: RunContext) -> Fetched:
        """Run the statement, and what follows it."""
        kind, statement = self.kind(context, "NONE"), self.statement(context)
        alone = kind == "NONE" and self.after_sql is None  # such as VACUUM, which no transaction takes
        with self.session(context) as session, _transaction(session, is_one=not alone):
            rows = session.run(statement, self.values(context), self.fetched_together(context))
            found = taken(context, rows, kind)
            self.follow(context, session)
        return found.model_copy(update=self.left(context))


class QueriesTask(Querying, Task):
    """Runs several statements."""

    output_type: ClassVar[type[Output] | None] = ManyFetched
    type_metrics = (MetricNote("fetch.size", "counter", "How many rows a query has fetched."),)

    transaction: Property[bool] = Field(
        Property.of(True), description="Whether all statements take effect together or not at all."
    )

    def run(self, context: RunContext) -> ManyFetched:
        """Run the statements one after the other."""
        kind, values, size = self.kind(context, "NONE"), self.values(context), self.fetched_together(context)
        statements = some(statements_of(self.text(context, self.sql), self.syntax))
        outputs: list[Fetched] = []
        with self.session(context) as session, _transaction(session, is_one=context.render(self.transaction)):
            for statement in statements:
                rows = session.run(statement, values, size)
                if rows is not None:
                    outputs.append(taken(context, rows, kind, f"rows-{len(outputs) + 1}.ion"))
        return ManyFetched(outputs=outputs).model_copy(update=self.left(context))


class QueryTrigger(OneStatement, PollingTrigger):
    """Starts the flow when a statement gives rows.

    The transaction is kept open until the execution is stored, so that what `afterSQL` does to rows is undone when
    nobody has heard of them.
    """

    variable_names: ClassVar[frozenset[str] | None] = frozenset({"row", "rows", "uri", "size"})
    default_kind: ClassVar[FetchType] = "FETCH"

    def poll(self, context: RunContext) -> TriggerEvent | None:
        """Run the statement."""
        kind, statement = self.kind(context, self.default_kind), self.statement(context)
        with ExitStack() as stack:
            session = stack.enter_context(self.session(context))
            session.begin(whole=self.after_sql is not None)
            rows = session.run(statement, self.values(context), self.fetched_together(context))
            found = started_by(context, rows, kind)
            if found is None:
                session.commit()
                return None
            self.follow(context, session)
            held = stack.pop_all()

        def acknowledge() -> None:
            with held:
                session.commit()

        variables = found.model_dump(exclude_none=True)
        return TriggerEvent(variables, acknowledge=acknowledge, release=held.close)


@contextmanager
def _transaction(session: Session, *, is_one: bool) -> Iterator[None]:
    """Have what is done take effect together, and only when nothing goes wrong; or each statement by itself."""
    if is_one:
        session.begin()
    yield
    if is_one:
        session.commit()


def _run_all(
    context: RunContext, session: Session, statements: Sequence[Statement], values: Mapping[str, Any] | None
) -> None:
    for statement in statements:
        taken(context, session.run(statement, values, 1_000), "NONE")
