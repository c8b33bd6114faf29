"""`penstock server` as a real process."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Command, wait_until
from tests.cli.test_run import HELLO, SLEEPING
from tests.support.program import Process
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.acceptance

USER = ("someone@example.com", "Secret123")
ACCOUNT = {"KESTRA_SERVER_BASIC_AUTH_USERNAME": USER[0], "KESTRA_SERVER_BASIC_AUTH_PASSWORD": USER[1]}
MANAGEMENT = {"ENDPOINTS_ALL_ENABLED": "false"}


def ready(penstock: Command, process: Process) -> str:
    """Return the address of a server once it is ready."""
    wait_until(lambda: "(ready after" in penstock.err or process.poll() is not None, "the server")
    found = re.search(r"at (http://\S+) \(ready", penstock.err)
    assert found is not None, penstock.err
    return found[1]


def started(penstock: Command, *arguments: str, **environment: str) -> tuple[Process, str]:
    process = penstock.start("server", *arguments, environment={**ACCOUNT, **MANAGEMENT, **environment})
    return process, ready(penstock, process)


def stop(process: Process) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(PATIENCE)


def test_server_local_first_start_shows_credentials_once(penstock: Command) -> None:
    process = penstock.start("server", "local", "--port", "0", "--data", "data", environment=MANAGEMENT)
    address = ready(penstock, process)
    found = re.search(r"Log in as (\S+) with the password (\S+) \(shown this once\)", penstock.err)
    assert found is not None, penstock.err
    user = (found[1], found[2])
    assert httpx.get(f"{address}/api/v1/main/flows/search", auth=user, timeout=PATIENCE).status_code == 200
    assert httpx.get(f"{address}/api/v1/main/flows/search", timeout=PATIENCE).status_code == 401
    assert stop(process) == 0
    stored = b"".join(path.read_bytes() for path in (penstock.folder / "data").iterdir() if path.is_file())
    assert found[2].encode() not in stored
    process = penstock.start("server", "local", "--port", "0", "--data", "data", environment=MANAGEMENT)
    address = ready(penstock, process)
    assert "password" not in penstock.err
    assert httpx.get(f"{address}/api/v1/main/flows/search", auth=user, timeout=PATIENCE).status_code == 200
    assert stop(process) == 0


def test_server_local_runs_a_flow_of_its_flow_path(penstock: Command) -> None:
    """ENG-010, ENG-386."""
    penstock.write("flows/hello.yaml", HELLO)
    penstock.write("flows/broken.yaml", "id: broken\n")
    process, address = started(penstock, "local", "--port", "0", "--data", "data", "--flow-path", "flows")
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        answer = client.post("/api/v1/main/executions/company.team/hello", params={"wait": "true"})
        assert answer.json()["state"]["current"] == "SUCCESS"
        assert answer.json()["outputs"] == {"message": "Hello World!"}
        assert client.get("/health", timeout=PATIENCE).json()["status"] == "UP"
    assert "broken.yaml" in penstock.err
    assert stop(process) == 0


def test_server_validates_files_for_the_command_line(penstock: Command) -> None:
    process, address = started(penstock, "local", "--port", "0", "--data", "data")
    server = ("--server", address, "--user", ":".join(USER))
    assert penstock("flow", "validate", penstock.write("good.yaml", HELLO), *server).code == 0
    done = penstock("flow", "validate", penstock.write("bad.yaml", HELLO.replace("log.Log", "log.Lgo")), *server)
    assert done.code == 1
    assert "bad.yaml" in done.out
    assert "log.Lgo" in done.out
    refused = penstock("flow", "validate", "good.yaml", "--server", address)
    assert refused.code == 1
    assert "--user" in refused.err
    stop(process)


def test_server_without_a_worker_lets_people_kill_what_would_take_it_down(penstock: Command) -> None:
    """BEY-004: nothing runs, the rest works."""
    penstock.write("flows/hello.yaml", HELLO)
    process, address = started(
        penstock, "local", "--port", "0", "--data", "data", "--flow-path", "flows", "--no-worker"
    )
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        execution = client.post("/api/v1/main/executions/company.team/hello").json()["id"]
        wait_until(lambda: _task_state(client, execution) == "SUBMITTED", "the task")
        why = client.get(f"/api/v1/main/executions/{execution}/why").json()["sentence"]
        assert why.endswith("waits for a worker, and none is running")
        client.delete(f"/api/v1/main/executions/{execution}/kill")
        wait_until(lambda: _state(client, execution) == "KILLED", "the end of the execution")
    assert stop(process) == 0


def test_server_stopped_lets_a_running_task_end(penstock: Command) -> None:
    """OPS-127."""
    penstock.write("flows/sleeping.yaml", SLEEPING.replace("PT60S", "PT2S"))
    process, address = started(penstock, "local", "--port", "0", "--data", "data", "--flow-path", "flows")
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        execution = client.post("/api/v1/main/executions/company.team/sleeping").json()["id"]
        wait_until(lambda: _task_state(client, execution) == "RUNNING", "the task")
    assert stop(process) == 0
    process, address = started(penstock, "local", "--port", "0", "--data", "data")
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        wait_until(lambda: _state(client, execution) == "SUCCESS", "the end of the execution")
        (run,) = client.get(f"/api/v1/main/executions/{execution}").json()["taskRunList"]
        assert len(run["attempts"]) == 1
    stop(process)


def test_server_stopped_twice_hands_a_running_task_back(penstock: Command) -> None:
    """OPS-129: the next server runs it again."""
    penstock.write("flows/sleeping.yaml", SLEEPING.replace("PT60S", "PT8S"))
    process, address = started(penstock, "local", "--port", "0", "--data", "data", "--flow-path", "flows")
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        execution = client.post("/api/v1/main/executions/company.team/sleeping").json()["id"]
        wait_until(lambda: _task_state(client, execution) == "RUNNING", "the task")
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: "stopping" in penstock.err, "the first signal")
    assert stop(process) == 0
    process, address = started(penstock, "local", "--port", "0", "--data", "data")
    with httpx.Client(base_url=address, auth=USER, timeout=PATIENCE) as client:
        wait_until(lambda: _state(client, execution) == "SUCCESS", "the end of the execution")
    stop(process)


def test_server_port_taken_is_one_clear_error(penstock: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = penstock("server", "local", "--host", "127.0.0.1", "--port", port, environment={**ACCOUNT, **MANAGEMENT})
    assert done.code == 1
    assert f"port {port} is in use" in done.err
    assert "Traceback" not in done.err


def test_server_configuration_of_the_environment_is_kept_in_a_private_file(penstock: Command) -> None:
    """OPS-046, OPS-053."""
    text = "kestra: {url: 'http://x'}\n"
    process, _ = started(penstock, "local", "--port", "0", "--data", "data", KESTRA_CONFIGURATION=text)
    kept = penstock.folder / "confs" / "application.yml"
    assert kept.read_text() == text
    assert kept.stat().st_mode & 0o077 == 0
    assert stop(process) == 0


def test_server_deletes_its_configuration_file_when_told_to(penstock: Command) -> None:
    """OPS-053."""
    config = penstock.write("c.yml", "kestra: {configurations: {delete-files-on-start: true}}\n")
    process, _ = started(penstock, "local", "--port", "0", "--data", "data", "-c", config)
    assert not (penstock.folder / config).exists()
    assert stop(process) == 0


def test_server_second_one_on_the_same_data_is_refused(penstock: Command) -> None:
    process, _ = started(penstock, "local", "--port", "0", "--data", "data")
    done = penstock("server", "local", "--port", "0", "--data", "data", environment={**ACCOUNT, **MANAGEMENT})
    assert done.code == 1
    assert "penstock.db" in done.err
    assert "Traceback" not in done.err
    stop(process)


def test_server_standalone_without_database_names_the_missing_key(penstock: Command) -> None:
    """OPS-051."""
    done = penstock("server", "standalone")
    assert done.code == 1
    assert "kestra.repository.type is missing" in done.err


def test_server_standalone_with_wrong_value_names_key_value_and_file(penstock: Command) -> None:
    """OPS-215."""
    done = penstock("server", "standalone", "-c", penstock.write("c.yml", "micronaut: {server: {port: many}}\n"))
    assert done.code == 1
    assert "micronaut.server.port: must be a whole number, not `many`" in done.err
    assert "c.yml" in done.err


def test_server_indexer_has_nothing_to_do_and_stops(penstock: Command) -> None:
    process = penstock.start("server", "indexer")
    wait_until(lambda: "nothing to do" in penstock.err, "the indexer")
    assert stop(process) == 0


def test_server_management_port_serves_health_and_metrics(penstock: Command) -> None:
    """OPS-093, OPS-136, OPS-137."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = penstock.start(
        "server", "local", "--port", "0", "--data", "data", environment={**ACCOUNT, "ENDPOINTS_ALL_PORT": str(port)}
    )
    ready(penstock, process)
    body = httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE).json()
    assert (body["status"], "diskSpace" in body["details"]) == ("UP", True)
    assert body["details"]["audit"]["details"] == {"orphans": 0}
    metrics = httpx.get(f"http://127.0.0.1:{port}/prometheus", timeout=PATIENCE).text
    assert "process_resident_memory_bytes" in metrics
    assert "penstock_orphans_total 0.0" in metrics
    assert "penstock_executor_partitions 65.0" in metrics
    assert "penstock_executor_counts_limits 1.0" in metrics
    assert stop(process) == 0


def test_server_components_share_the_work_over_postgresql(penstock: Command, postgres_dsn: str, tmp_path: Path) -> None:
    """OPS-001: one process each, and a worker that knows the server's address alone (BEY-010)."""
    from urllib.parse import urlsplit

    address = urlsplit(postgres_dsn)
    base = {
        **ACCOUNT,
        **MANAGEMENT,
        "KESTRA_REPOSITORY_TYPE": "postgres",
        "KESTRA_QUEUE_TYPE": "postgres",
        "KESTRA_STORAGE_TYPE": "local",
        "KESTRA_STORAGE_LOCAL_BASE_PATH": str(tmp_path / "storage"),
        "DATASOURCES_POSTGRES_URL": f"jdbc:{postgres_dsn}" if address.scheme == "postgresql" else postgres_dsn,
        "KESTRA_WORKER_TOKENS": "worker-token-1",
    }
    names = ("webserver", "executor", "scheduler", "worker")
    commands = {name: Command(tmp_path / name) for name in names}
    for command in commands.values():
        command.folder.mkdir()
    try:
        web = commands["webserver"].start("server", "webserver", "--port", "0", environment=base)
        url = ready(commands["webserver"], web)
        commands["executor"].start("server", "executor", environment=base)
        commands["scheduler"].start("server", "scheduler", environment=base)
        token = {"PENSTOCK_WORKER_TOKEN": "worker-token-1"}
        commands["worker"].start("server", "worker", "--server-url", url, environment=token)
        for name in names[1:]:
            wait_until(lambda name=name: "(ready after" in commands[name].err, name)  # type: ignore[misc]
        with httpx.Client(base_url=url, auth=USER, timeout=PATIENCE) as client:
            headers = {"Content-Type": "application/x-yaml"}
            assert client.post("/api/v1/main/flows", content=HELLO, headers=headers).status_code == 200
            answer = client.post("/api/v1/main/executions/company.team/hello", params={"wait": "true"})
            assert answer.json()["state"]["current"] == "SUCCESS", answer.text
    finally:
        for command in commands.values():
            command.stop_all()


def test_server_worker_with_wrong_token_is_refused(penstock: Command) -> None:
    process, address = started(penstock, "local", "--port", "0", "--data", "data", KESTRA_WORKER_TOKENS="right")
    worker = Command(penstock.folder / "worker")
    worker.folder.mkdir()
    done = worker("server", "worker", "--server-url", address, environment={"PENSTOCK_WORKER_TOKEN": "wrong"})
    assert done.code == 1
    assert "worker token is missing or wrong" in done.err
    assert worker("server", "worker", "--server-url", address).code == 1
    stop(process)


def _state(client: httpx.Client, execution: str) -> str:
    return str(client.get(f"/api/v1/main/executions/{execution}").json()["state"]["current"])


def _task_state(client: httpx.Client, execution: str) -> str | None:
    runs = client.get(f"/api/v1/main/executions/{execution}").json().get("taskRunList")
    return runs[0]["state"]["current"] if runs else None


@pytest.fixture(autouse=True)
def _short_data(penstock: Command) -> None:
    (penstock.folder / "data").mkdir()


def test_server_keeps_in_step_with_a_folder_of_flows(penstock: Command) -> None:
    """ENG-012, OPS-065, USE-B111: saved, changed, renamed and deleted files; wrong ones are passed over."""
    penstock.write("flows/deep/hello.yaml", HELLO)
    config = penstock.write("c.yml", "micronaut: {io: {watch: {enabled: true, paths: [flows]}}}\n")
    process, address = started(penstock, "local", "--port", "0", "--data", "data", "-c", config)
    with httpx.Client(base_url=f"{address}/api/v1/main/flows/company.team", auth=USER, timeout=PATIENCE) as client:
        assert client.get("/hello").json()["revision"] == 1
        penstock.write("flows/deep/hello.yaml", HELLO.replace("World", "Moon"))
        wait_until(lambda: client.get("/hello").json()["revision"] == 2, "the second revision")
        penstock.write("flows/broken.yaml", "id: broken\nnamespace: company.team\n")
        penstock.write("flows/deep/hello.yaml", HELLO.replace("id: hello", "id: renamed"))
        wait_until(lambda: client.get("/renamed").status_code == 200, "the renamed flow")
        wait_until(lambda: client.get("/hello").status_code == 404, "the end of the old name")
        (penstock.folder / "flows/deep/hello.yaml").unlink()
        wait_until(lambda: client.get("/renamed").status_code == 404, "the end of the flow")
        assert "broken.yaml" in penstock.err
    assert stop(process) == 0
