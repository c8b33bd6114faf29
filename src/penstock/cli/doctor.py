"""`penstock doctor`: whether a server can live here, and what to do about it if not. Implements BEY-034."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penstock.cli.options import Config

if TYPE_CHECKING:
    from penstock.wiring.doctor import Finding

_SIGNS = {"ok": ("ok  ", "green"), "warning": ("warn", "yellow"), "failure": ("FAIL", "bold red")}


def doctor(
    config: Config = None,
    data: Annotated[Path | None, typer.Option("--data", help="Data folder of `penstock server local`.")] = None,
    image: Annotated[str, typer.Option("--image", help="Container image to ask for.")] = "python:3.13-slim",
    reach: Annotated[
        list[str] | None, typer.Option("--reach", help="Address that flows need, such as https://... Repeatable.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check what a server needs here, and name the command that mends each failure.

    Looks at configuration, versions, database, storage, permissions, container engine, image pull, network and time
    zone, and changes nothing. The exit code is 1 when something fails; warnings do not count.

    \b
    Examples:
      penstock doctor
      penstock doctor --config application.yml --reach https://api.example.com
      penstock doctor --json
    """
    import json
    import os
    from dataclasses import asdict

    from penstock.cli.options import configuration_here
    from penstock.cli.terminal import say
    from penstock.wiring.doctor import Level, Patient, examine

    found, folder = configuration_here(config, data, told=False)
    findings = []
    for finding in examine(Patient(found, os.environ, folder, image, tuple(reach or ()))):
        findings.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        say(json.dumps([asdict(one) for one in findings], indent=2))
    if any(one.level is Level.FAILURE for one in findings):
        raise typer.Exit(1)


def _show(finding: Finding) -> None:
    from rich.text import Text

    from penstock.cli.terminal import console

    sign, style = _SIGNS[finding.level]
    text = Text(sign, style=style)
    text.append(f"  {finding.subject + ':':<15}{finding.message}", style="not bold default")
    if finding.remedy:
        text.append(f"\n{'':<21}$ {finding.remedy}", style="not bold cyan")
    console().print(text)
