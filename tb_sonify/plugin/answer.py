"""What every handler needs: on whose behalf it is asked, and the forms of an answer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from numpy.typing import NDArray
from tensorboard import plugin_util
from tensorboard.backend.http_util import Respond
from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request, Response

from tb_sonify.contract import Block, encode_block
from tb_sonify.reading import Scope
from tb_sonify.sound import STREAM_NAMES, stream_layers

_BLOCK_TYPE = "application/x-sonify-block"


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
