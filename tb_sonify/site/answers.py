"""The plugin's answers, kept under what was asked: in this process, without a server."""

import hashlib
import json
import math
import re
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tensorboard.errors import PublicError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from tb_sonify.plugin.responses import Handler
from tb_sonify.sound import HEADER_BYTES, encode_compressed

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


class UnavailableError(LookupError):
    """There is no answer, as the plugin says."""


class Answers:
    """Answers by what was asked, each kept once, under a name that follows from what is in it.

    Attributes
    ----------
    table
        Names of answers, by what was asked.
    addresses
        By name, where an answer is kept in the page.
    """

    def __init__(self, *, most_bytes: int, sound: SoundFormat) -> None:
        self.table: dict[str, str] = {}
        self.addresses: dict[str, str] = {}
        self._sound = sound
        # Some is kept for what is put at the end, without which nothing plays.
        self._most_bytes = most_bytes * 15 // 16
        self._limit = math.inf
        self._sizes: dict[str, int] = {}
        self._nbytes = 0

    def keep(self, name: str, answer: bytes) -> None:
        """Keep an answer in the page."""
        self.addresses[name] = data_address(name, answer)

    def drop(self, name: str) -> None:
        """Forget an answer that is not wanted after all."""
        del self.addresses[name]

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep all answers that are put within, or, after an exception, none of them.

        Raises
        ------
        TooLargeError
            If there is no room for them.
        """
        table, sizes = dict(self.table), set(self._sizes)
        self._limit = self._most_bytes
        try:
            yield
        except BaseException:
            for name in set(self._sizes) - sizes:
                self._nbytes -= self._sizes.pop(name)
                self.drop(name)
            self.table = table
            raise
        finally:
            self._limit = math.inf

    def put(
        self, route: str, arguments: Mapping[str, Any], answer: bytes, *, in_page: bool = False
    ) -> None:
        """Keep an answer; in the page, where it is asked for as soon as that is open, or often."""
        if answer[:4] == b"RIFF" and self._sound == "flac":
            answer = encode_flac(answer)
        name = f"answers/{hashlib.sha256(answer).hexdigest()[:_NAME_DIGITS]}.{_ending(answer)}"
        if name not in self._sizes:
            if self._nbytes + len(answer) > self._limit:
                raise TooLargeError
            keep = partial(Answers.keep, self) if in_page else self.keep
            keep(name, answer)
            self._sizes[name] = len(answer)
            self._nbytes += len(answer)
        self.table[key_of(route, arguments)] = name


class Files(Answers):
    """Answers that are files of a folder."""

    def __init__(self, folder: Path, *, most_bytes: int, sound: SoundFormat) -> None:
        super().__init__(most_bytes=most_bytes, sound=sound)
        self._folder = folder

    def keep(self, name: str, answer: bytes) -> None:
        (self._folder / name).write_bytes(answer)

    def drop(self, name: str) -> None:
        (self._folder / name).unlink()


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
    UnavailableError
        If it refuses.
    """
    request = Request(EnvironBuilder(f"/{route}", query_string=dict(arguments)).get_environ())
    try:
        response = handlers[f"/{route}"](request)
    except PublicError as error:
        raise UnavailableError(str(error)) from error
    return response.get_data()


def encode_flac(wav: bytes) -> bytes:
    """A 16-bit WAV file, as the plugin sends it, as a FLAC file with the same samples."""
    channels, rate = struct.unpack_from("<HI", wav, 22)
    pcm = np.frombuffer(wav, "<i2", offset=HEADER_BYTES).reshape(-1, channels)
    return encode_compressed(pcm, sample_rate=rate, form="FLAC")


_TYPES = {
    "json": "application/json",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "js": "text/javascript",
}
_ENDINGS = {b"RIFF": "wav", b"fLaC": "flac", b"TBSN": "bin"}


def _ending(answer: bytes) -> str:
    if answer[:4] in _ENDINGS:
        return _ENDINGS[answer[:4]]
    return "json" if re.match(rb"\s*[\[{]", answer) else "txt"


def as_json(answer: Any) -> bytes:
    """An answer in JSON, without a space."""
    return json.dumps(answer, separators=(",", ":")).encode()


def data_address(name: str, data: bytes) -> str:
    """An address that is the data itself, of a file of that name."""
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return f"data:{kind};base64,{b64encode(data).decode()}"
