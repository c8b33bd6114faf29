"""Test results for people: a line for each case as it ends, then why cases did not pass, then the sum."""

from __future__ import annotations

from collections.abc import Sequence

from penstock.cli.run.display import log_text
from penstock.cli.run.tree import duration_text
from penstock.cli.terminal import console
from penstock.cli.test.junit import failures
from penstock.model.suites import SuiteDocument
from penstock.services.unit_tests import CaseResult, SuiteResult, Verdict

_MARKS = {
    Verdict.SUCCESS: ("✓", "green", "passed"),
    Verdict.FAILED: ("✗", "bold red", "failed"),
    Verdict.ERROR: ("!", "bold red", "in error"),
    Verdict.SKIPPED: ("-", "yellow", "skipped"),
}


class Report:
    """Writes to the standard output.

    Args:
        verbose: Show the logs of cases that passed, too.
    """

    def __init__(self, *, verbose: bool) -> None:
        self._console = console()
        self._verbose = verbose

    def case(self, suite: SuiteDocument, result: CaseResult) -> None:
        """Show that a case has ended."""
        from rich.text import Text

        mark, style, word = _MARKS[result.verdict]
        text = Text(f"{mark} ", style=style)
        text.append(f"{suite.id} > {result.case_id}", style="not bold default")
        text.append(f"  {word}", style=style)
        text.append(f"  {duration_text(result.duration)}", style="not bold dim")
        self._console.print(text)

    def close(self, results: Sequence[SuiteResult]) -> None:
        """Show why cases did not pass, and how many of each there were."""
        from rich.text import Text

        cases = [(result, case) for result in results for case in result.cases]
        for result, case in cases:
            bad = case.verdict in (Verdict.FAILED, Verdict.ERROR)
            if bad or (self._verbose and case.logs):
                self._details(result, case)
        counts = [
            (sum(case.verdict is verdict for _, case in cases), style, word)
            for verdict, (_, style, word) in _MARKS.items()
        ]
        text = Text(", ").join(Text(f"{count} {word}", style=style) for count, style, word in counts if count)
        self._console.print(text or "no tests")

    def _details(self, result: SuiteResult, case: CaseResult) -> None:
        from rich.text import Text

        self._console.print()
        self._console.print(Text(f"{result.namespace}.{result.suite_id} > {case.case_id}", style="bold"))
        if case.execution_state is not None:
            self._console.print(Text(f"  the execution ended in {case.execution_state}", style="dim"))
        for line in (*case.errors, *failures(case)):
            self._console.print(Text(f"  {line}", style="red"))
        for entry in case.logs:
            self._console.print(Text("  ") + log_text(entry))
