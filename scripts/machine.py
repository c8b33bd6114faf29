"""Installs what tests need and Python packages cannot bring: a browser, a container engine, Redis, MariaDB,
network namespaces, an SSH server, brokers of messages, Apache Kafka, a Pub/Sub server, a mail server, the languages and
tools of script tasks, and PostgreSQL where no wheel fits.

It prefers the system's packages (apt, as root or with sudo) and does nothing when all is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

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

ENGINE = ("podman", "runc", "busybox")
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

MAIL = ("dovecot-imapd", "dovecot-pop3d")
"""The Debian packages of the server of mailboxes."""


def apt_install(*packages: str) -> bool:
    """Install Debian packages; return whether that worked."""
    if shutil.which("apt-get") is None:
        return False
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and shutil.which("sudo") is None:
        return False
    print(f"Installing {' '.join(packages)} with apt", flush=True)
    quiet = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    # The update's own result says little: one stale extra source fails it, with all that is needed at hand.
    subprocess.run([*quiet, "update"], check=False)
    install = [*quiet, "install", "-y", "--no-install-recommends", *packages]
    return subprocess.run(install, check=False, stdout=subprocess.DEVNULL).returncode == 0


def ensure_postgres() -> bool:
    """Have PostgreSQL's programs on this machine."""
    if postgres_directory() is None:
        apt_install("postgresql")
    return postgres_directory() is not None


def ensure_redis() -> bool:
    """Have a Redis server on this machine; tests start their own."""
    if redis_executable() is None:
        apt_install("redis-server")
    return redis_executable() is not None


def ensure_mariadb() -> bool:
    """Have MariaDB's programs on this machine; tests start their own server."""
    if mariadb_directory() is None:
        apt_install("mariadb-server-core", "mariadb-client-core")
    return mariadb_directory() is not None


def ensure_browser() -> bool:
    """Have a Chromium on this machine: Debian's, else the one Playwright brings (Ubuntu has it as a snap only)."""
    if browser_executable() is None:
        apt_install("chromium-headless-shell", "fonts-liberation") or apt_install("chromium", "fonts-liberation")
    if browser_executable() is None:
        playwright = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        subprocess.run([*playwright, "--with-deps"] if os.geteuid() == 0 else playwright, check=False)
    return browser_executable() is not None


def ensure_engine() -> bool:
    """Have a container engine on this machine, and a program that needs nothing else for its image."""
    if not all(map(shutil.which, ENGINE)):
        apt_install("podman", "runc", "busybox-static")
    return all(map(shutil.which, ENGINE))


def ensure_network() -> bool:
    """Have what makes networks between processes; where root may not use it, tests of it are skipped."""
    if shutil.which("ip") is None:
        apt_install("iproute2")
    return shutil.which("ip") is not None


def ensure_languages() -> bool:
    """Have the languages of script tasks that Debian packs."""
    missing = [package for program, package in LANGUAGES.items() if shutil.which(program) is None]
    if missing:
        apt_install(*missing)
    return all(map(shutil.which, LANGUAGES))


def ensure_ssh_server() -> bool:
    """Have an SSH server's program on this machine; tests start their own."""
    if sshd_executable() is None:
        apt_install("openssh-server")
    return sshd_executable() is not None


def ensure_tools() -> bool:
    """Have the command-line tools that Debian and PyPI pack."""
    missing = [package for program, package in TOOLS.items() if shutil.which(program) is None]
    if missing:
        apt_install(*missing)
    return all(map(shutil.which, TOOLS)) and ensure_python_tools()


def ensure_python_tools() -> bool:
    """Have those of PyPI."""
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


def ensure_brokers() -> bool:
    """Have brokers of messages on this machine; tests start their own."""
    missing = [package for program, package in BROKERS.items() if server_executable(program) is None]
    if missing:
        apt_install(*missing)
    return all(map(server_executable, BROKERS))


def ensure_mail() -> bool:
    """Have a server of mailboxes on this machine; tests start their own."""
    if server_executable("dovecot") is None:
        apt_install(*MAIL)
    return server_executable("dovecot") is not None


def ensure_kafka() -> bool:
    """Have Apache Kafka on this machine, for which Debian has no package; tests start their own."""
    if kafka_directory() is None:
        needed = {"java": "default-jre-headless", "mvn": "maven"}
        missing = [package for program, package in needed.items() if shutil.which(program) is None]
        return (not missing or apt_install(*missing)) and fetch_kafka()
    return shutil.which("java") is not None


def ensure_pubsub() -> bool:
    """Have a Pub/Sub server on this machine, which Debian does not pack; tests start their own."""
    if pubsub_executable() is not None:
        return True
    return (shutil.which("go") is not None or apt_install(LANGUAGES["go"])) and build_pubsub()


def main() -> int:
    """Ensure everything and name what could not be had."""
    needed = (
        ("PostgreSQL", ensure_postgres),
        ("Redis", ensure_redis),
        ("MariaDB", ensure_mariadb),
        ("Chromium", ensure_browser),
        ("podman", ensure_engine),
        ("network namespaces", ensure_network),
        ("OpenSSH's server", ensure_ssh_server),
        ("brokers of messages", ensure_brokers),
        ("Dovecot", ensure_mail),
        ("Apache Kafka", ensure_kafka),
        ("languages of script tasks", ensure_languages),
        ("a Pub/Sub server", ensure_pubsub),
        ("command-line tools", ensure_tools),
    )
    missing = [name for name, ensure in needed if not ensure()]
    if missing:
        print(f"Missing and not installable here: {', '.join(missing)}. Tests that need them", end=" ", file=sys.stderr)
        print("fail when CI is set and are skipped otherwise.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
