"""Server of the listening test: one page, one session, loopback only."""

import json
import socket
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, Conflict, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from tb_sonify.listen_test.session import Session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"

_FILES = {"page.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
_ROUTES = Map(
    [
        Rule("/", endpoint="file", defaults={"name": "page.html"}, methods=["GET"]),
        Rule("/<any('page.js', 'page.css'):name>", endpoint="file", methods=["GET"]),
        Rule("/step", endpoint="step", methods=["GET"]),
        Rule("/sound/<int:number>.wav", endpoint="sound", methods=["GET"]),
        Rule("/answer", endpoint="answer", methods=["POST"]),
        Rule("/report.json", endpoint="report", methods=["GET"]),
    ]
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; media-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class _LocalRequest(Request):
    # A page elsewhere whose name was made to lead here would have another host.
    trusted_hosts = ["localhost", HOST]  # noqa: RUF012 - werkzeug's
    max_content_length = 10_000


class ListenTest:
    """The application: a session, and the file to which its report is written when it is over."""

    def __init__(self, session: Session, output: Path) -> None:
        self.session, self.output = session, output
        self.saved = ""  # where, or why not
        self._lock = Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer a request; errors are JSON with a sentence for the listener."""
        request = _LocalRequest(environ)
        try:
            endpoint, values = _ROUTES.bind(request.host).match(request.path, request.method)
            with self._lock:
                response: Response = getattr(self, f"_{endpoint}")(request, **values)
        except HTTPException as error:
            response = _as_json({"error": error.description}, status=error.code or 500)
        response.headers.update(_HEADERS)
        return response(environ, start_response)

    def _file(self, _: Request, name: str) -> Response:
        page = files(__package__).joinpath(name).read_bytes()
        return Response(page, content_type=f"{_FILES[name]}; charset=utf-8")

    def _step(self, _: Request) -> Response:
        return _as_json({**self.session.shown(), "saved": self.saved})

    def _sound(self, _: Request, number: int) -> Response:
        if number != self.session.number or not self.session.shown()["sounds"]:
            raise NotFound(f"no sound for step {number}: the test is at {self.session.number}")
        return Response(self.session.wav(), mimetype="audio/wav")

    def _answer(self, request: Request) -> Response:
        body = request.get_json()  # of its own content type, which no other page may send
        step, choice, replays = (_whole(body, name) for name in ("number", "choice", "replays"))
        if step < self.session.number:
            raise Conflict(f"step {step} is answered already: the test is at {self.session.number}")
        if step > self.session.number:
            raise NotFound(f"no step {step} yet: the test is at {self.session.number}")
        try:
            right = self.session.answer(choice, replays=replays)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        if self.session.is_over:
            self._save()
        return _as_json({"right": right, "step": {**self.session.shown(), "saved": self.saved}})

    def _report(self, _: Request) -> Response:
        return _as_json(self.session.report(), indent=1)

    def _save(self) -> None:
        try:
            with self.output.open("x", encoding="utf-8") as file:
                json.dump(self.session.report(), file, indent=1)
            self.saved = f"Saved as {self.output.resolve()}"
        except OSError as error:
            self.saved = f"Not saved as {self.output} ({error.strerror}): use the link"
        print(self.saved, flush=True)  # noqa: T201 - for whoever started it


def bound_server(test: ListenTest, *, port: int) -> BaseWSGIServer:
    """A server that listens already; port 0: a free one.

    Raises
    ------
    OSError
        If the port is taken.
    """
    with socket.create_server((HOST, port)) as listening:
        return make_server(
            HOST, port, test, threaded=True, fd=listening.fileno(), request_handler=_Quiet
        )


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Log no request, only errors: the terminal is for people."""


def _whole(body: Any, name: str) -> int:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadRequest(f"{name} must be a whole number, at least 0, got {value!r}")
    return value


def _as_json(value: Any, *, status: int = 200, indent: int | None = None) -> Response:
    return Response(json.dumps(value, indent=indent), status, mimetype="application/json")
