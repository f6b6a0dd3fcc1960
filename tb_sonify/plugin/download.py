"""What a browser saves as a file: its name, and sound in other formats than WAV."""

import io
import re
import unicodedata
from importlib import import_module
from importlib.util import find_spec
from urllib.parse import quote

from tensorboard.errors import InvalidArgumentError

from tb_sonify.reading import Clip

_MOST_NAME = 120  # characters; a file system allows 255 bytes
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def attachment(name: str, ending: str) -> tuple[str, str]:
    """The response header that has an answer saved as a file of this name, which may be hostile."""
    named = "".join(_harmless(character) for character in name)[:_MOST_NAME].strip(" .") or "run"
    plain = _UNSAFE.sub("_", named)
    encoded = quote(f"{named}.{ending}", safe="", errors="replace")
    value = f"attachment; filename=\"{plain}.{ending}\"; filename*=UTF-8''{encoded}"
    return "Content-Disposition", value


def formats() -> tuple[str, ...]:
    """The kinds of files that sound can be saved as here."""
    return ("wav",) if find_spec("soundfile") is None else ("wav", "flac")


def flac(clip: Clip) -> bytes:
    """A clip as a FLAC file."""
    try:
        soundfile = import_module("soundfile")
    except ImportError as error:
        raise InvalidArgumentError(
            'FLAC needs soundfile where TensorBoard runs: pip install "tb-sonify[soundfile]"'
        ) from error
    form = {"samplerate": clip.preset.sample_rate, "channels": clip.preset.channels}
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", format="FLAC", subtype="PCM_16", **form) as writer:
        for piece in clip.pcm:
            writer.write(piece)
    return file.getvalue()


def _harmless(character: str) -> str:
    """A character, or an underscore where a file system or a reader would take it for another."""
    control = unicodedata.category(character)[0] in "CZ" and character != " "
    return "_" if control or character in '/\\:*?"<>|' else character
