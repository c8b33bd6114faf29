"""`penstock doctor` on real databases, folders, ports and engines."""

from __future__ import annotations

import os
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest

from penstock.store import schema
from penstock.wiring.config import load
from penstock.wiring.doctor import Finding, Level, Patient, examine
from penstock.wiring.doctor.versions import unmet
from penstock.wiring.local import local_defaults
from tests.support.containers import IMAGE, EngineMissingError, container_engine


def patient(folder: Path, environment: dict[str, str] | None = None, **options: Any) -> Patient:
    keys = {
        **local_defaults(folder),
        "micronaut.server.port": 0,
        "endpoints.all.enabled": False,
        **options.pop("keys", {}),
    }
    variables = {"DOCKER_HOST": f"unix://{folder}/no.sock", **(environment or {})}
    found = load(options.pop("file", None), environment={}, defaults=keys)
    return Patient(found, variables, options.pop("data", folder), **options)


def about(subject: str, someone: Patient) -> list[Finding]:
    return [one for one in examine(someone) if one.subject == subject]


def test_doctor_sound_server_has_no_failures_and_changes_nothing(tmp_path: Path) -> None:
    """BEY-034."""
    findings = list(examine(patient(tmp_path / "data")))
    assert [one for one in findings if one.level is Level.FAILURE] == []
    assert {"configuration", "versions", "database", "storage", "permissions", "network", "time zone"} <= {
        one.subject for one in findings
    }
    assert list(tmp_path.iterdir()) == []


def test_doctor_every_failure_names_the_command_that_mends_it(tmp_path: Path) -> None:
    """BEY-034."""
    (tmp_path / "data").write_text("a file in the way")
    someone = patient(tmp_path / "data", {"TZ": "Mars/Olympus"}, reach=("http://127.0.0.1:1/",))
    bad = [one for one in examine(someone) if one.level is not Level.OK]
    assert {one.subject for one in bad} == {"database", "storage", "containers", "network", "time zone"}
    assert [one for one in bad if not one.remedy] == []
    assert f"mv {tmp_path / 'data'} {tmp_path / 'data'}.old" in {one.remedy for one in bad}


def test_doctor_older_schema_is_told_with_the_migration_that_cures_it(tmp_path: Path) -> None:
    """BEY-034."""
    schema.migrate(f"sqlite:///{tmp_path / 'penstock.db'}", "0001_pre_baseline")
    (finding,) = about("database", patient(tmp_path))
    assert finding.level is Level.FAILURE
    assert finding.remedy == f"penstock migrate --data {tmp_path}"
    schema.migrate(f"sqlite:///{tmp_path / 'penstock.db'}")
    (finding,) = about("database", patient(tmp_path))
    assert finding.level is Level.OK


def test_doctor_schema_of_a_later_release_is_told(tmp_path: Path) -> None:
    """BEY-034."""
    schema.migrate(f"sqlite:///{tmp_path / 'penstock.db'}")
    connection = sqlite3.connect(tmp_path / "penstock.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999_pre_future'")
    connection.close()
    (finding,) = about("database", patient(tmp_path))
    assert finding.level is Level.FAILURE
    assert "--upgrade penstock" in finding.remedy


def test_doctor_damaged_database_is_told(tmp_path: Path) -> None:
    """BEY-034."""
    (tmp_path / "penstock.db").write_bytes(b"no database at all" * 1000)
    (finding,) = about("database", patient(tmp_path))
    assert finding.level is Level.FAILURE
    assert "not a database" in finding.message
    assert finding.remedy.startswith("mv ")


def on_postgres(url: str, **more: Any) -> dict[str, Any]:
    return {
        "kestra.repository.type": "postgres",
        "kestra.queue.type": "postgres",
        "datasources.postgres.url": url,
        **more,
    }


@pytest.mark.postgres
def test_doctor_postgres_without_rights_or_database_is_told_with_its_cure(tmp_path: Path, postgres_url: str) -> None:
    """BEY-034."""
    url = postgres_url.replace("+psycopg", "")
    (fine,) = about("database", patient(tmp_path, keys=on_postgres(url)))
    assert fine.level is Level.OK
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f'ALTER DATABASE "{name}" SET search_path TO nowhere')
    fenced = about("database", patient(tmp_path, keys=on_postgres(url)))
    assert "GRANT CREATE ON SCHEMA" in next(one.remedy for one in fenced if one.level is Level.FAILURE)
    (absent,) = about("database", patient(tmp_path, keys=on_postgres(url.replace(name, "nothing_here"))))
    assert absent.level is Level.FAILURE
    assert absent.remedy.startswith("createdb ")
    assert absent.remedy.endswith(" nothing_here")


def test_doctor_postgres_that_does_not_answer_is_told_without_its_password(tmp_path: Path) -> None:
    """BEY-034."""
    keys = on_postgres("jdbc:postgresql://localhost:1/flows", **{"datasources.postgres.username": "ada"})
    keys["datasources.postgres.password"] = "hunter2-hunter2"
    (finding,) = about("database", patient(tmp_path, keys=keys))
    assert finding.level is Level.FAILURE
    assert finding.remedy == "sudo systemctl start postgresql"
    assert "hunter2" not in repr(finding)


def test_doctor_port_in_use_is_told(tmp_path: Path) -> None:
    """BEY-034."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(0)
        port = taken.getsockname()[1]
        taken.settimeout(30)
        keys = {"micronaut.server.port": port, "micronaut.server.host": "127.0.0.1"}

        def hang_up() -> None:
            connection, _ = taken.accept()
            connection.close()

        other = threading.Thread(target=hang_up)
        other.start()
        findings = about("network", patient(tmp_path, keys=keys))
        other.join()
    assert findings[0].level is Level.FAILURE
    assert f":{port}" in findings[0].remedy


def test_doctor_storage_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """BEY-034."""
    (finding,) = about("storage", patient(tmp_path, keys={"kestra.storage.local.base-path": "/proc/penstock/files"}))
    assert finding.level is Level.FAILURE
    assert finding.remedy.startswith("sudo mkdir -p /proc/penstock/files && sudo chown -R ")


def test_doctor_configuration_with_secrets_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    """BEY-034."""
    file = tmp_path / "application.yml"
    file.write_text(
        "kestra:\n  server:\n    basic-auth:\n      username: ada@example.com\n      password: Hunter2Hunter2\n"
    )
    file.chmod(0o644)
    assert about("permissions", patient(tmp_path, file=file))[-1].remedy == f"chmod 640 {file}"
    file.chmod(0o640)
    assert about("permissions", patient(tmp_path, file=file))[-1].level is Level.OK


def test_doctor_configuration_that_makes_no_plan_is_a_finding_beside_the_others(tmp_path: Path) -> None:
    """BEY-034."""
    findings = list(examine(patient(tmp_path, keys={"kestra.encryption.secret-key": "short"})))
    assert findings[0].subject == "configuration"
    assert findings[0].level is Level.FAILURE
    assert "kestra.encryption.secret-key" in findings[0].message
    assert "time zone" in {one.subject for one in findings}


def test_doctor_missing_engine_fails_only_where_scripts_cannot_do_without(tmp_path: Path) -> None:
    """BEY-034, BEY-035."""
    (finding,) = about("containers", patient(tmp_path))
    assert finding.level is Level.WARNING
    (finding,) = about("containers", patient(tmp_path, keys={"kestra.tasks.scripts.docker.fallback": "error"}))
    assert finding.level is Level.FAILURE


@pytest.fixture
def engine() -> Iterator[str]:
    with ExitStack() as stack:
        # Engines want short paths.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pen-", ignore_cleanup_errors=True)))
        try:
            running = stack.enter_context(container_engine(folder))
        except EngineMissingError as error:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(error))
        yield running.host


def test_doctor_engine_and_its_images_are_seen(tmp_path: Path, engine: str) -> None:
    """BEY-034."""
    findings = list(examine(patient(tmp_path, {"DOCKER_HOST": engine}, image=IMAGE)))
    assert [one.level for one in findings if one.subject in ("containers", "image pull")] == [Level.OK, Level.OK]
    (absent,) = about("image pull", patient(tmp_path, {"DOCKER_HOST": engine}, image="127.0.0.1:1/nothing:1"))
    assert absent.level is not Level.OK
    assert absent.remedy.startswith("docker pull 127.0.0.1:1/nothing:1")


def test_doctor_libraries_that_do_not_fit_are_told_with_the_command_that_brings_them() -> None:
    """BEY-034."""
    asked = ["pydantic>=2", "pydantic<1", "no-such-library-at-all>=3", 'excel-things>=1; extra == "excel"']
    assert [(one.level, one.remedy) for one in unmet(asked)] == [
        (Level.FAILURE, "python -m pip install 'pydantic<1'"),
        (Level.FAILURE, "python -m pip install 'no-such-library-at-all>=3'"),
    ]
