"""A real nginx before a real uvicorn, on loopback, configured as docs/correlation.md says."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
_SECONDS = 30.0  # until a server listens
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
_CONFIG = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 64; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {page}
    server {{
        listen 127.0.0.1:{port};
        access_log {folder}/access.log tts;
        add_header X-Request-ID $request_id always;
        proxy_read_timeout 1s;
        location / {{ proxy_pass http://127.0.0.1:{behind}; }}
        location /refused {{ proxy_pass http://127.0.0.1:{nobody}; }}
    }}
}}
"""  # noqa: E501


def page_block(language: str) -> str:
    """The page's only block of a language."""
    page = (_ROOT / "docs" / "correlation.md").read_text(encoding="utf-8")
    (found,) = [text for name, text in _BLOCK.findall(page) if name == language]
    return str(found)


def tool(name: str) -> str:
    """A program that the test needs."""
    found = shutil.which(name, path=_PATH)
    assert found, f"{name} is needed: make tools"
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Proxied:
    """Both servers, from entering to leaving; ``has_names``: nginx logs and passes on its request
    id.
    """

    def __init__(self, folder: Path, *, has_names: bool = True) -> None:
        self.folder = folder
        self.application, self.access = folder / "app.log", folder / "access.log"
        self.error = folder / "error.log"
        self._has_names = has_names
        self._port, self._behind = _free_port(), _free_port()
        self._ends = ExitStack()
        self._nginx: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Proxied":
        try:
            self._begin_application()
            self._begin_nginx()
        except BaseException:
            self._ends.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._ends.close()

    def _begin_application(self) -> None:
        module = self.folder / "of_the_page.py"
        module.write_text(page_block("python"))
        words = [sys.executable, "-m", "tests.support.speech_app", str(module), str(self._behind)]
        output = self._ends.enter_context(self.application.open("ab"))
        environment = os.environ | {"PYTHONUNBUFFERED": "1", "TZ": "UTC"}
        self._started(
            subprocess.Popen(
                words, cwd=_ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            ),
            self._behind,
        )

    def _begin_nginx(self) -> None:
        page = page_block("nginx")
        if not self._has_names:
            page = page.replace(" rid=$request_id", "").replace("proxy_set_header", "# ")
        config = self.folder / "nginx.conf"
        config.write_text(
            _CONFIG.format(
                folder=self.folder, page=page, port=self._port, behind=self._behind,
                nobody=_free_port(),
                user="user root;" if os.geteuid() == 0 else "",
            )
        )  # fmt: skip
        command = [tool("nginx"), "-c", str(config), "-e", str(self.folder / "error.log")]
        self._nginx = subprocess.Popen(command, env=os.environ | {"TZ": "UTC"})
        self._started(self._nginx, self._port)

    def _started(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        def end() -> None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=_SECONDS)

        self._ends.callback(end)
        until = time.monotonic() + _SECONDS
        while True:
            assert process.poll() is None, (self.folder / "app.log").read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert time.monotonic() < until, "the server does not listen"
            time.sleep(0.05)

    def ask(self, target: str) -> tuple[int, str, str]:
        """One request: the status, nginx's X-Request-ID, and the service's id."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            connection.request("POST", target)
            answer = connection.getresponse()
            answer.read()
            headers = (answer.getheader("X-Request-ID"), answer.getheader("X-Tts-Id"))
            return answer.status, headers[0] or "", headers[1] or ""
        finally:
            connection.close()

    def ask_all(self, targets: list[str], at_once: int) -> list[tuple[int, str, str]]:
        """Many requests, some at once, in the order of the targets."""
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(self.ask, targets))

    def until_written(self, words: str, times: int) -> None:
        """Wait until the application's log has words so many times."""
        until = time.monotonic() + _SECONDS
        while self.application.read_text().count(words) < times:
            assert time.monotonic() < until, self.application.read_text()
            time.sleep(0.05)

    def rotate(self) -> None:
        """Rotate nginx's log with logrotate(8), which tells nginx by USR1, and wait until it writes
        a new one.
        """
        config = self.folder / "logrotate.conf"
        config.write_text(
            f"{self.access} {{\n  rotate 3\n  create 0644\n  postrotate\n"
            f"    kill -USR1 $(cat {self.folder}/nginx.pid)\n  endscript\n}}\n"
        )
        config.chmod(0o644)
        state = str(self.folder / "logrotate.state")
        subprocess.run([tool("logrotate"), "-f", "-s", state, str(config)], check=True)
        assert self.access.with_name("access.log.1").exists()
