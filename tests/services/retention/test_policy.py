from __future__ import annotations

from penstock.ports.queries import Filter
from penstock.services.retention import FOREVER, Policy, Rule


def test_policy_parts_are_disjoint_and_the_first_rule_that_fits_decides() -> None:
    """BEY-020."""
    rules = [Rule(1, 2, states=["FAILED"]), Rule(FOREVER, 3, namespace="company", labels={"team": "data"})]
    first, second, rest = Policy(4, 5, rules).parts()
    failed = [Filter("state", "IN", ["FAILED"])]
    company = [Filter("namespace", "PREFIX", "company"), Filter("labels", "EQUALS", {"team": "data"})]
    assert (first.filters, first.unless) == (failed, ())
    assert (second.filters, second.unless) == (company, (failed,))
    assert (rest.filters, rest.unless) == ((), (failed, company))
    assert (rest.rule.executions, rest.rule.logs) == (4, 5)


def test_policy_rule_without_a_condition_leaves_nothing_to_the_general_period() -> None:
    """BEY-020."""
    (only,) = Policy(4, 5, [Rule(1, 2)]).parts()
    assert (only.rule.executions, only.filters, only.unless) == (1, [], ())
