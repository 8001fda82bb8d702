"""nginx as an ordinary child of the test: own folder, own port, in the foreground."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import httpx

from tests.harness.postgres import LEASH
from tests.harness.processes import free_port

# The lines inside `location` are those of the README.
CONFIGURATION = """
daemon off;
worker_processes 1;
error_log {folder}/error.log warn;
pid {folder}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' close; }}
  server {{
    listen 127.0.0.1:{port}{tls};
    server_name _;
    {certificate}
    location {location} {{
      proxy_pass http://127.0.0.1:{backend};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto {proto};
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_read_timeout 1h;
      client_max_body_size 2m;
    }}
  }}
}}
"""


def nginx_path() -> str | None:
    """Debian puts it where only root looks."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


class Nginx:
    """In front of the server on `backend`, at `location`.

    Args:
        proto: what it says about the scheme people use: `$scheme`, or `https` as if another proxy in front ended TLS.
        certificate: files of a certificate and its key; with them it speaks https.
    """

    def __init__(
        self, folder: Path, backend: int, location: str = "/", *, proto: str = "$scheme",
        certificate: tuple[Path, Path] | None = None,
    ) -> None:  # fmt: skip
        self.port = free_port()
        self.folder = folder
        folder.mkdir(parents=True)
        lines = ""
        if certificate:
            lines = f"ssl_certificate {certificate[0]}; ssl_certificate_key {certificate[1]};"
        self._configuration = folder / "nginx.conf"
        self._configuration.write_text(
            CONFIGURATION.format(
                folder=folder, port=self.port, backend=backend, location=location, proto=proto,
                tls=" ssl" if certificate else "", certificate=lines,
            )
        )  # fmt: skip
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Nginx:
        import sys

        path = nginx_path()
        assert path, "nginx is not installed; make test installs it"
        command = [path, "-e", str(self.folder / "error.log"), "-p", str(self.folder), "-c", str(self._configuration)]
        self._process = subprocess.Popen(
            [sys.executable, str(LEASH), *command], stdin=subprocess.DEVNULL, start_new_session=True
        )
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                httpx.get(self.url + "/ping", verify=False, trust_env=False, timeout=5)
                return self
            except httpx.HTTPError:
                time.sleep(0.03)
        raise RuntimeError(f"nginx did not start: {self.log()}")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)

    def log(self) -> str:
        try:
            return (self.folder / "error.log").read_text()
        except FileNotFoundError:
            return ""
