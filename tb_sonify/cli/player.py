"""Plays sounds by a program that is there, one after the other, without waiting for them."""

import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

PLAYERS = (
    ("afplay",),
    ("pw-play",),
    ("paplay",),
    ("aplay", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)
_PLAY_SAMPLES = (
    "import sys, wave, numpy, sounddevice; sound = wave.open(sys.argv[1]); "
    "samples = numpy.frombuffer(sound.readframes(sound.getnframes()), '<i2'); "
    "samples = samples.reshape(-1, sound.getnchannels()); "
    "sounddevice.play(samples, sound.getframerate(), blocking=True)"
)
_MAX_WAITING = 3
_PATIENCE_SECONDS = 10.0  # beyond the length of a sound


def find_player() -> tuple[str, ...]:
    """The command of a player that is there, to which the path of a WAV file is added.

    Where none of `PLAYERS` is, as on Windows, it is the Python library sounddevice.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    for player in PLAYERS:
        if shutil.which(player[0]):
            return player
    if find_spec("sounddevice") is not None:
        return sys.executable, "-c", _PLAY_SAMPLES
    raise FileNotFoundError(
        f"no player found, out of {', '.join(each[0] for each in PLAYERS)}; "
        "the extra play of tb-sonify brings one"
    )


class Player:
    """A player of sounds, each of which is heard whole; where too many wait, the oldest is not.

    Parameters
    ----------
    say
        Takes one sentence, once, where sounds cannot be played.
    """

    def __init__(self, command: tuple[str, ...], say: Callable[[str], None]) -> None:
        self._command = command
        self._say: Callable[[str], None] | None = say
        self._directory = TemporaryDirectory(prefix="tb_sonify")
        self._waiting: deque[tuple[bytes, float]] = deque(maxlen=_MAX_WAITING)
        self._playing: subprocess.Popen[bytes] | None = None
        self._until = 0.0

    def play(self, pcm: NDArray[np.int16], sample_rate: int) -> None:
        """Play samples ``(frames, channels)`` after what plays now; does not wait."""
        from tb_sonify.sound.files import encode_wav

        wav = encode_wav(pcm, sample_rate=sample_rate)
        self._waiting.append((wav, len(pcm) / sample_rate))
        self.go_on()

    def go_on(self) -> None:
        """Start the next sound where none plays; a player that hangs is ended."""
        if self._playing is not None:
            status = self._playing.poll()
            if status is None and time.monotonic() < self._until:
                return
            if status is None:
                self._end()
                self._fail("hangs")
            elif status:
                self._fail("cannot play here")
            self._playing = None
        if self._waiting and self._say is not None:
            wav, seconds = self._waiting.popleft()
            path = Path(self._directory.name) / "sound.wav"
            path.write_bytes(wav)
            self._until = time.monotonic() + seconds + _PATIENCE_SECONDS
            self._playing = subprocess.Popen(
                [*self._command, str(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )

    def close(self) -> None:
        """End what plays."""
        self._end()
        self._directory.cleanup()

    def _end(self) -> None:
        if self._playing is not None and self._playing.poll() is None:
            self._playing.kill()
            self._playing.wait()

    def _fail(self, what: str) -> None:
        if self._say is not None:
            self._say(f"no sound from here on: {Path(self._command[0]).name} {what}")
        self._say = None
