"""The programs `penstock` (also `kestra`, and `python -m penstock`) and `kestractl`."""

from __future__ import annotations

import signal


def main() -> None:
    """Run the command line."""
    _end_silently_on_interrupt()
    from penstock.cli import main as commands

    commands.main()


def client() -> None:
    """Run `penstock ctl` as the command `kestractl`."""
    _end_silently_on_interrupt()
    from penstock.cli import main as commands

    commands.client()


def _end_silently_on_interrupt() -> None:
    """Let Ctrl-C end the program as the system does, without a traceback, until there is somebody to answer it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


if __name__ == "__main__":
    main()
