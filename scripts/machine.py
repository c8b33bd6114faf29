"""Installs what tests need and Python packages cannot bring: a browser, a container engine, Redis, MariaDB,
network namespaces, an SSH server, brokers of messages, Apache Kafka, a Pub/Sub server, a mail server, the languages and
tools of script tasks, and PostgreSQL where no wheel fits.

It prefers the system's packages (apt, as root or with sudo), asks for all of them at once, and does nothing when all
is there. What comes from elsewhere is fetched side by side.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.kafka import fetch_kafka, kafka_directory
from scripts.pubsub import build_pubsub, pubsub_executable
from scripts.tooling import (
    browser_executable,
    mariadb_directory,
    postgres_directory,
    redis_executable,
    server_executable,
    sshd_executable,
    tools_directory,
)

ENGINE = {"podman": "podman", "runc": "runc", "busybox": "busybox-static"}
LANGUAGES = {
    "go": "golang-go",
    "groovy": "groovy",
    "java": "default-jdk-headless",
    "lua": "lua5.4",
    "node": "nodejs",
    "npm": "npm",
    "perl": "perl",
    "php": "php-cli",
    "Rscript": "r-base-core",
    "ruby": "ruby",
}
"""The Debian packages of the programs of script tasks."""

TOOLS = {"ansible-playbook": "ansible-core", "/usr/bin/aws": "awscli", "az": "azure-cli"}
"""The Debian packages of command-line tools that have tasks; others put an `aws` that cannot run first on the path."""

PYTHON_TOOLS = {
    "dbt": ("dbt-core<1.11", "dbt-duckdb<1.10"),  # later ones fetch more than PyPI has while they are installed
    "modal": ("modal",),
    "sqlmesh": ("sqlmesh",),
}
"""The same of PyPI. They live in an environment of their own: they would not agree with our dependencies."""

BROKERS = {"mosquitto": "mosquitto", "nats-server": "nats-server", "rabbitmq-server": "rabbitmq-server"}
"""The Debian packages of the programs of brokers."""

KAFKA = {"java": "default-jre-headless", "mvn": "maven"}
"""The Debian packages of the programs that run Apache Kafka, for which Debian has no package, and fetch it."""


def unless(found: object, *packages: str) -> Sequence[str]:
    """Return the packages to install unless something was found."""
    return () if found else packages


def absent(programs: Mapping[str, str]) -> Sequence[str]:
    """Return the packages of those programs that are not there."""
    return [package for program, package in programs.items() if shutil.which(program) is None]


NEEDS: Mapping[str, Callable[[], Sequence[str]]] = {
    "PostgreSQL": lambda: unless(postgres_directory(), "postgresql"),
    "Redis": lambda: unless(redis_executable(), "redis-server"),
    "MariaDB": lambda: unless(mariadb_directory(), "mariadb-server-core", "mariadb-client-core"),
    "Chromium": lambda: unless(browser_executable(), "chromium-headless-shell", "fonts-liberation"),
    "podman": lambda: absent(ENGINE),
    "network namespaces": lambda: unless(shutil.which("ip"), "iproute2"),
    "OpenSSH's server": lambda: unless(sshd_executable(), "openssh-server"),
    "brokers of messages": lambda: [package for name, package in BROKERS.items() if server_executable(name) is None],
    "Dovecot": lambda: unless(server_executable("dovecot"), "dovecot-imapd", "dovecot-pop3d"),
    "Java and Maven": lambda: [] if kafka_directory() and shutil.which("java") else absent(KAFKA),
    "languages of script tasks": lambda: absent(LANGUAGES),
    "command-line tools": lambda: absent(TOOLS),
}
"""By what a person calls it, the Debian packages of what is not here yet."""


def apt_get(*arguments: str) -> bool:
    """Run apt-get quietly; return whether that worked."""
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not all(map(shutil.which, ("apt-get", *prefix[:1]))):
        return False
    command = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *arguments]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages; return whether that worked."""
    print(f"Installing {' '.join(packages)} with apt", flush=True)
    return apt_get("install", "-y", "--no-install-recommends", *packages)


def ensure_packages() -> None:
    """Install all packages at once; each need's by themselves when one of them keeps the others from it."""
    wanted = [missing() for missing in NEEDS.values()]
    if not any(wanted):
        return
    # The update's own result says little: one stale extra source fails it, with all that is needed at hand.
    apt_get("update")
    if not apt_install([package for packages in wanted for package in packages]):
        for packages in filter(None, wanted):
            apt_install(packages)


def ensure_browser() -> bool:
    """Have a Chromium where Debian's without windows is not to be had: another, else the one Playwright brings."""
    if browser_executable() is None:
        apt_install(("chromium", "fonts-liberation"))
    if browser_executable() is None:  # Ubuntu has it as a snap only
        playwright = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        subprocess.run([*playwright, "--with-deps"] if os.geteuid() == 0 else playwright, check=False)
    return browser_executable() is not None


def ensure_kafka() -> bool:
    """Have Apache Kafka on this machine; tests start their own."""
    return kafka_directory() is not None or fetch_kafka()


def ensure_pubsub() -> bool:
    """Have a Pub/Sub server on this machine, which Debian does not pack; tests start their own."""
    return pubsub_executable() is not None or (shutil.which("go") is not None and build_pubsub())


def ensure_python_tools() -> bool:
    """Have the command-line tools of PyPI."""
    folder = tools_directory()
    wanted = [
        package for program, packages in PYTHON_TOOLS.items() if not (folder / program).exists() for package in packages
    ]
    if wanted:
        print(f"Installing {' '.join(wanted)} with pip", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder.parent)], check=False)
        pip = [str(folder / "python"), "-m", "pip", "install", "--quiet", "--prefer-binary", *wanted]
        subprocess.run(pip, check=False)
    return all((folder / program).exists() for program in PYTHON_TOOLS)


def main() -> int:
    """Ensure everything and name what could not be had."""
    with ThreadPoolExecutor() as beside:
        tools = beside.submit(ensure_python_tools)
        ensure_packages()
        others = {"Apache Kafka": beside.submit(ensure_kafka), "a Pub/Sub server": beside.submit(ensure_pubsub)}
        others |= {"tools of PyPI": tools, "Chromium": beside.submit(ensure_browser)}
    missing = [name for name, packages in NEEDS.items() if packages()]
    missing += [name for name, there in others.items() if not there.result() and name not in missing]
    if missing:
        print(f"Missing and not installable here: {', '.join(missing)}. Tests that need them", end=" ", file=sys.stderr)
        print("fail when CI is set and are skipped otherwise.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
