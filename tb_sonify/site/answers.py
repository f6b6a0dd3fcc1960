"""The plugin's answers, kept under what was asked: in this process, without a server."""

import hashlib
import io
import json
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from tensorboard.errors import PublicError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from tb_sonify.plugin.responses import Handler
from tb_sonify.sound.wav import HEADER_BYTES

SoundFormat = Literal["flac", "wav"]

LOOSE: Mapping[str, tuple[str, ...]] = {
    "coverage": ("known", "scale", "low", "high"),
    "notes": ("scale", "low", "high"),
    "clip": ("scale", "low", "high"),
    "heard": ("scale", "low", "high", "first_note", "notes", "columns"),
    "heatmap": ("from", "to", "columns"),
    "curve": ("points",),
    "landmarks": ("against",),
    "news": ("run", "tag"),
}
"""By route: the arguments that the page passes over where there is no answer to all of them."""

_NAME_DIGITS = 20


class TooLargeError(Exception):
    """There is no room left for an answer."""


class Answers:
    """Answers by what was asked, each kept once.

    Parameters
    ----------
    keep
        Is given the name of a file and its bytes, and returns its address.
    drop
        Is given the name of a file that is not wanted after all.
    most_bytes
        Of all files.
    sound
        The format in which clips are kept.
    """

    def __init__(
        self,
        keep: Callable[[str, bytes], str],
        drop: Callable[[str], None],
        *,
        most_bytes: int,
        sound: SoundFormat,
    ) -> None:
        self.table: dict[str, str] = {}
        self.nbytes = 0
        self._keep, self._drop = keep, drop
        self._most_bytes, self._sound = most_bytes, sound
        self._sizes: dict[str, int] = {}
        self._addresses: dict[str, str] = {}

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all answers that are put within, or, after an exception, none of them."""
        table, sizes, nbytes = dict(self.table), set(self._sizes), self.nbytes
        try:
            yield
        except BaseException:
            for name in set(self._sizes) - sizes:
                del self._sizes[name], self._addresses[name]
                self._drop(name)
            self.table, self.nbytes = table, nbytes
            raise

    def put(self, route: str, arguments: Mapping[str, Any], answer: bytes) -> None:
        """Keep an answer.

        Raises
        ------
        TooLargeError
            If there is no room for it.
        """
        if answer[:4] == b"RIFF" and self._sound == "flac":
            answer = encode_flac(answer)
        name = f"{hashlib.sha256(answer).hexdigest()[:_NAME_DIGITS]}.{_ending(answer)}"
        if name not in self._sizes:
            if self.nbytes + len(answer) > self._most_bytes:
                raise TooLargeError
            self._addresses[name] = self._keep(name, answer)
            self._sizes[name] = len(answer)
            self.nbytes += len(answer)
        self.table[key_of(route, arguments)] = self._addresses[name]


def key_of(route: str, arguments: Mapping[str, Any]) -> str:
    """The key of a request: its route and its arguments, sorted, without those passed over.

    `frontend/src/server/site.ts` makes the same.
    """
    return "\n".join([route, *sorted(f"{name}={value}" for name, value in arguments.items())])


def loosely(route: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments without those that the page may pass over."""
    return {name: value for name, value in arguments.items() if name not in LOOSE.get(route, ())}


def ask(handlers: Mapping[str, Handler], route: str, arguments: Mapping[str, Any]) -> bytes:
    """What the plugin answers to a request.

    Raises
    ------
    LookupError
        If it refuses.
    """
    request = Request(EnvironBuilder(f"/{route}", query_string=dict(arguments)).get_environ())
    try:
        response = handlers[f"/{route}"](request)
    except PublicError as error:
        raise LookupError(str(error)) from error
    return response.get_data()


def best_format() -> SoundFormat:
    """FLAC where it can be written, a fifth as large; else WAV."""
    return "wav" if find_spec("soundfile") is None else "flac"


def encode_flac(wav: bytes) -> bytes:
    """A 16-bit WAV file, as the plugin sends it, as a FLAC file with the same samples."""
    channels, rate = struct.unpack_from("<HI", wav, 22)
    pcm = np.frombuffer(wav, "<i2", offset=HEADER_BYTES).reshape(-1, channels)
    file = io.BytesIO()
    import_module("soundfile").write(file, pcm, rate, format="FLAC", subtype="PCM_16")
    return file.getvalue()


_ENDINGS = {b"RIFF": "wav", b"fLaC": "flac", b"TBSN": "bin"}


def _ending(answer: bytes) -> str:
    if answer[:4] in _ENDINGS:
        return _ENDINGS[answer[:4]]
    return "json" if re.match(rb"\s*[\[{]", answer) else "txt"


def as_json(answer: Any) -> bytes:
    """An answer in JSON, without a space."""
    return json.dumps(answer, separators=(",", ":")).encode()
