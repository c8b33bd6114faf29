"""`penstock doctor` as a command."""

from __future__ import annotations

import json

from tests.cli.conftest import Command

QUIET = {"KESTRA_CONFIGURATION": "micronaut: {server: {port: 0}}\nendpoints: {all: {enabled: false}}"}


def test_doctor_exit_code_tells_whether_a_server_can_live_here(penstock: Command) -> None:
    """BEY-034."""
    sound = penstock("doctor", "--data", "data", environment=QUIET)
    assert sound.code == 0, sound.out + sound.err
    assert "database:" in sound.out
    ill = penstock("doctor", "--data", "data", environment={**QUIET, "TZ": "Mars/Olympus"})
    assert ill.code == 1
    assert "FAIL  time zone:" in ill.out
    assert "$ export TZ=Etc/UTC" in ill.out


def test_doctor_findings_for_programs_are_json(penstock: Command) -> None:
    """BEY-034."""
    done = penstock("doctor", "--data", "data", "--json", environment=QUIET)
    findings = json.loads(done.out)
    assert {"subject", "level", "message", "remedy"} == set(findings[0])
    assert done.code == (1 if any(one["level"] == "failure" for one in findings) else 0)
