"""What every handler needs: on whose behalf it is asked, and the forms of an answer."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray
from tensorboard import plugin_util
from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError, NotFoundError, PublicError
from werkzeug.wrappers import Request, Response

from tb_sonify.contract import Block, encode_block
from tb_sonify.reading import Scope
from tb_sonify.reading.turns import has_hung_up
from tb_sonify.sound import STREAM_NAMES, stream_layers

_BLOCK_TYPE = "application/x-sonify-block"
_METHODS = ("GET", "HEAD")
# What TensorBoard adds to an answer that it does not send in pieces.
_NOT_KEPT = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-cache, must-revalidate"))
Handler = Callable[[Request], Response]


class _MethodError(PublicError):
    http_code = 405

    def __init__(self, method: str) -> None:
        super().__init__(f"the method must be {' or '.join(_METHODS)}, got {method}")
        self.headers.append(("Allow", ", ".join(_METHODS)))


def read_only(handler: Handler) -> Handler:
    """A handler that answers 405 to any request that is not one to read."""

    def handle(request: Request) -> Response:
        if request.method not in _METHODS:
            raise _MethodError(request.method)
        # A server has a thread for each connection: this holds while the answer is sent, too.
        has_hung_up.set(_listener(request.environ.get("werkzeug.socket")))
        return handler(request)

    return handle


def _listener(connection: socket.socket | None) -> Callable[[], bool]:
    """Whether the other end of a connection, where that can be seen, has hung up by now."""
    at_once = getattr(socket, "MSG_DONTWAIT", None)  # not on Windows

    def has_hung_up() -> bool:
        if connection is None or at_once is None:
            return False
        try:
            return not connection.recv(1, socket.MSG_PEEK | at_once)
        except BlockingIOError:
            return False
        except OSError:
            return True

    return has_hung_up


def scope_of(request: Request) -> Scope:
    """On whose behalf, and from which experiment, to read."""
    environ = request.environ
    return Scope(plugin_util.context(environ), plugin_util.experiment_id(environ))


@contextmanager
def refusals() -> Iterator[None]:
    """Answers 404 to what cannot be found, and 400 to what makes no sense."""
    try:
        yield
    except LookupError as error:
        raise NotFoundError(str(error)) from error
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from error


def block(request: Request, header: Mapping[str, Any], **arrays: NDArray[Any]) -> Response:
    """A block as the answer."""
    return Respond(request, encode_block(Block(header, arrays)), _BLOCK_TYPE)


def streamed(
    pieces: Iterable[bytes] | Iterable[str],
    content_type: str,
    headers: Iterable[tuple[str, str]],
    *,
    nbytes: int | None = None,
) -> Response:
    """An answer in pieces, which are made as they are sent.

    Parameters
    ----------
    nbytes
        How many bytes they are; `None`: not known before.
    """
    known = () if nbytes is None else (("Content-Length", str(nbytes)),)
    return Response(pieces, content_type=content_type, headers=[*headers, *known, *_NOT_KEPT])


def voices(run: str, layers: tuple[str, ...]) -> dict[str, Any]:
    """The layers of a run, and which of them make up each stream."""
    streams = zip(STREAM_NAMES, stream_layers(len(layers)), strict=False)
    return {
        "run": run,
        "layers": layers,
        "streams": [
            {"name": name, "layers": [layers[index] for index in indices]}
            for name, indices in streams
        ],
    }
