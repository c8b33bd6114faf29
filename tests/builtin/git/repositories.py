"""Real repositories for tests: bare ones on disk, and an HTTP server that gives them to who has the password."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_IDENTITY = {f"GIT_{role}_{what}": "t@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(*arguments: str, folder: Path) -> str:
    """Run `git` and return what it prints."""
    environment = {**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull}
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare repository."""

    path: Path

    @property
    def url(self) -> str:
        return self.path.as_uri()

    def commit(self, files: Mapping[str, str | None], branch: str = "main") -> str:
        """Commit contents by path (None removes a file) and return the commit."""
        work = self.path.parent / "work"
        git("clone", "-q", str(self.path), str(work), folder=self.path.parent)
        is_new = not git("branch", "-r", "--list", f"origin/{branch}", folder=work)
        git("checkout", "-q", *(["-B"] if is_new else []), branch, folder=work)
        for name, content in files.items():
            file = work / name
            if content is None:
                file.unlink()
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        git("add", "--all", "--force", folder=work)
        git("commit", "-q", "-m", "made", folder=work)
        git("push", "-q", "origin", f"HEAD:{branch}", folder=work)
        commit = git("rev-parse", "HEAD", folder=work).strip()
        shutil.rmtree(work)
        return commit

    def files(self, branch: str = "main") -> dict[str, str]:
        """Return contents by path."""
        names = git("ls-tree", "-r", "--name-only", branch, folder=self.path).split()
        return {name: git("show", f"{branch}:{name}", folder=self.path) for name in names}

    def log(self, pattern: str, branch: str = "main") -> list[str]:
        """Return the commits, the latest first."""
        return git("log", f"--format={pattern}", branch, folder=self.path).splitlines()


def bare(folder: Path) -> Bare:
    """Make an empty repository."""
    path = folder / "repository.git"
    git("init", "-q", "--bare", "-b", "main", str(path), folder=folder)
    git("config", "http.receivepack", "true", folder=path)
    return Bare(path)


@contextmanager
def served(repository: Bare, username: str, password: str) -> Iterator[str]:
    """Give a repository's URL on an HTTP server that asks for a user and a password."""
    wanted = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()

    class Backend(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            environment = {
                **os.environ,
                "GIT_PROJECT_ROOT": str(repository.path.parent),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REMOTE_USER": username,
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = subprocess.run(
                ["git", "http-backend"], input=body, env=environment, check=True, stdout=subprocess.PIPE
            ).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{repository.path.name}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
