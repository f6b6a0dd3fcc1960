"""A reverse proxy, as nginx or a notebook server is one: everything is below a path of its own."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# What belongs to one connection alone.
NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: str
    below: str
    strips: bool
    page: bytes
    strays: list[str]

    def do_GET(self) -> None:
        if self.path == "/":
            self._answer(200, [("Content-Type", "text/html")], self.page)
        elif self.path.startswith(self.below):
            self._pass_on()
        else:
            self.strays.append(self.path)
            self._answer(404, [], b"")

    do_POST = do_GET  # noqa: N815 - a name of the standard library

    def _pass_on(self) -> None:
        path = "/" + self.path.removeprefix(self.below) if self.strips else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in NOT_PASSED_ON}
        connection = http.client.HTTPConnection(self.target, timeout=60)
        try:
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            kept = [pair for pair in answer.getheaders() if pair[0].lower() not in NOT_PASSED_ON]
            self._answer(answer.status, kept, answer.read())
        finally:
            connection.close()

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *message: Any) -> None:
        """Nothing: a test has other things to say."""


@contextmanager
def proxied(address: str, below: str, *, strips: bool) -> Iterator[tuple[str, list[str]]]:
    """Pass on what is asked for below a path.

    Parameters
    ----------
    strips
        Whether the path is taken off before.

    Yields
    ------
    address, strays
        Of the proxy, whose own page has a frame, as a notebook has one, that shows what is below
        the path; and what was asked for beside it.
    """
    strays: list[str] = []
    frame = f'<!doctype html><iframe src="{below}#sonify" width="1200" height="800"></iframe>'
    settings = {
        "target": urlsplit(address).netloc,
        "below": below,
        "strips": strips,
        "page": frame.encode(),
        "strays": strays,
    }
    server = ThreadingHTTPServer(("localhost", 0), type("Handler", (_Handler,), settings))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}", strays
    finally:
        server.shutdown()
        server.server_close()
