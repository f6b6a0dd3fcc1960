"""A sound device without a loudspeaker, PulseAudio's null sink, and what leaves it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.waiting import ending, wait_until

RATE, CHANNELS = 48_000, 2
PROGRAMS = ("pulseaudio", "parec")
# Desktops give threads that play sound priority over others. Linux shares the processors among
# sessions first; without the right to, a program that plays has the priority of any other.
FIRST = ("sh", "-c", '(echo -15 >/proc/self/autogroup) 2>/dev/null; exec nice -n -15 "$@"', "sh")
# Logged when a program goes on after it had nothing to play, also when it begins.
UNDERRUN = "Requesting rewind due to end of underrun"


def missing() -> list[str]:
    """Programs that are needed and not installed."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class Recording:
    """What has left the device so far."""

    def __init__(self) -> None:
        self._data = bytearray()

    def __len__(self) -> int:
        """Sample frames so far, some 20 ms behind what is played."""
        return len(self._data) // (4 * CHANNELS)

    def samples(self) -> NDArray[np.float32]:
        """Shape ``(frames, channels)``."""
        data = bytes(self._data)[: len(self) * 4 * CHANNELS]
        return np.frombuffer(data, "<f4").reshape(-1, CHANNELS)

    def take(self, data: bytes) -> None:
        self._data += data


class SoundDevice:
    """For programs whose environment has `environment`."""

    def __init__(self, directory: Path) -> None:
        self.environment = {"PULSE_SERVER": f"unix:{directory}/socket"}
        self._log = directory / "log"

    def underruns(self) -> int:
        """How often a program went on after it had nothing to play: once at each beginning."""
        return self._log.read_text(errors="replace").count(UNDERRUN)

    @contextmanager
    def recorded(self) -> Iterator[Recording]:
        """Record what leaves the device; it has begun when this is entered."""
        command = [*FIRST, "parec", "--device=null.monitor", "--raw", "--format=float32le"]
        command += [f"--rate={RATE}", f"--channels={CHANNELS}", "--latency-msec=20"]
        own = {**os.environ, **self.environment}
        recording = Recording()
        with (
            ThreadPoolExecutor(1) as reader,
            ending(
                subprocess.Popen(command, env=own, stdout=subprocess.PIPE, start_new_session=True)
            ) as process,
        ):
            sound = process.stdout
            assert sound is not None

            def read() -> None:
                while data := sound.read1():  # type: ignore[attr-defined]
                    recording.take(data)

            reader.submit(read)
            wait_until(lambda: len(recording), "the sound device records")
            yield recording


@contextmanager
def started(directory: Path) -> Iterator[SoundDevice]:
    """A device of one's own: its socket, its log and all its files are in a directory."""
    socket, log = directory / "socket", directory / "log"
    modules = [
        f"module-native-protocol-unix socket={socket} auth-anonymous=1",
        f"module-null-sink sink_name=null rate={RATE}",
    ]
    command = [
        *FIRST,
        "pulseaudio",
        "-n",
        "--daemonize=no",
        "--exit-idle-time=-1",
        "--use-pid-file=no",
    ]
    command += ["--disable-shm=yes", "--log-level=debug", f"--log-target=file:{log}"]
    own = {**os.environ, "PULSE_RUNTIME_PATH": str(directory), "HOME": str(directory)}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    alone: Any = {**quiet, "start_new_session": True}
    loaded = [f"--load={module}" for module in modules]
    with ending(subprocess.Popen([*command, *loaded], env=own, **alone)):
        wait_until(socket.exists, "PulseAudio listens")
        yield SoundDevice(directory)
