"""Responses of handlers, and the errors that become HTTP statuses."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from tensorboard import plugin_util
from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError, NotFoundError, PublicError
from werkzeug.wrappers import Request, Response

from tb_sonify.reading import limits
from tb_sonify.reading.audio import Clip
from tb_sonify.reading.store import Scope
from tb_sonify.reading.work import client_connection
from tb_sonify.schema.block import Block, encode_block
from tb_sonify.sound import STREAM_NAMES, encode_compressed, stream_layers

Handler = Callable[[Request], Response]

_METHODS = ("GET", "HEAD")
_BLOCK_TYPE = "application/x-sonify-block"
# TensorBoard adds these to a response that is not streamed.
_STREAM_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-cache, must-revalidate"),
)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def read_only(handler: Handler) -> Handler:
    """A handler that answers 405 to any method but GET and HEAD."""

    def handle(request: Request) -> Response:
        if request.method not in _METHODS:
            raise _MethodError(request.method)
        # A server has a thread for each connection: this holds while the answer is sent, too.
        client_connection.set(request.environ.get("werkzeug.socket"))
        return handler(request)

    return handle


class _MethodError(PublicError):
    http_code = 405

    def __init__(self, method: str) -> None:
        super().__init__(f"the method must be {' or '.join(_METHODS)}, got {method}")
        self.headers.append(("Allow", ", ".join(_METHODS)))


@contextmanager
def http_errors() -> Iterator[None]:
    """Turn a `LookupError` into status 404, and a `ValueError` into 400."""
    try:
        yield
    except LookupError as error:
        raise NotFoundError(str(error)) from error
    except ValueError as error:
        raise InvalidArgumentError(str(error)) from error


def scope_of(request: Request) -> Scope:
    """The user and the experiment of a request."""
    environ = request.environ
    return Scope(plugin_util.context(environ), plugin_util.experiment_id(environ))


def block_response(request: Request, header: Mapping[str, Any], **arrays: NDArray[Any]) -> Response:
    """A response with a binary block: a JSON header and arrays."""
    return Respond(request, encode_block(Block(header, arrays)), _BLOCK_TYPE)


def stream_response(
    pieces: Iterable[bytes] | Iterable[str],
    content_type: str,
    headers: Iterable[tuple[str, str]],
    *,
    nbytes: int | None = None,
) -> Response:
    """A streamed response, whose pieces are made as they are sent.

    Parameters
    ----------
    nbytes
        Length of all pieces; `None`: not known before.
    """
    known = () if nbytes is None else (("Content-Length", str(nbytes)),)
    return Response(pieces, content_type=content_type, headers=[*headers, *known, *_STREAM_HEADERS])


def layer_header(
    run: str, layers: tuple[str, ...], names: tuple[str, ...] = STREAM_NAMES
) -> dict[str, Any]:
    """The layers of a run and of each stream, for the header of a block."""
    streams = zip(names, stream_layers(len(layers)), strict=False)
    return {
        "run": run,
        "layers": layers,
        "streams": [
            {"name": name, "layers": [layers[index] for index in indices]}
            for name, indices in streams
        ],
    }


def attachment(name: str, ending: str) -> tuple[str, str]:
    """Content-Disposition of a file to be saved, whose name may be hostile."""
    named = "".join(map(_safe_character, name))[: limits.MAX_FILE_NAME].strip(" .") or "run"
    plain = _UNSAFE.sub("_", named)
    encoded = quote(f"{named}.{ending}", safe="", errors="replace")
    value = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{encoded}"
    return "Content-Disposition", value


def _safe_character(character: str) -> str:
    """A character, or an underscore for one that means something to a file system or a reader."""
    control = unicodedata.category(character)[0] in "CZ" and character != " "
    return "_" if control or character in '/\\:*?"<>|' else character


def encode_flac(clip: Clip) -> bytes:
    """A clip as a FLAC file."""
    pcm = np.concatenate([*clip.pcm])
    try:
        return encode_compressed(pcm, sample_rate=clip.preset.sample_rate, form="FLAC")
    except ImportError as error:
        raise InvalidArgumentError(str(error)) from error
