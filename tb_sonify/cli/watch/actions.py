"""What is done beside the text of a message: sounds, the terminal's bell, a command."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tb_sonify.cli.player import Player, find_player
from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, render
from tb_sonify.sound.earcons import Earcon, earcon_waveform

if TYPE_CHECKING:
    from tb_sonify.cli.watch.run_watch import Message

_EARCONS = {"nan": Earcon.NAN, "inf": Earcon.INF, "collapse": Earcon.ZERO}
_RATE = 24_000
_SECONDS = 0.6
_COMMAND_SECONDS = 60.0
_MAX_COMMANDS, _MAX_WAITING = 8, 1_000
_STANDARD_ERROR = 2


class Actions:
    """Does what the options ask for at each message.

    Parameters
    ----------
    sound
        "off", "events" or "norms".
    bell
        Whether the terminal's bell rings at a problem.
    command
        Run by the shell at problems, warnings, stalls and ends; `None`: none is.
    say
        Takes sentences about what does not work.

    Raises
    ------
    FileNotFoundError
        If there is nothing that plays sounds, and some are asked for.
    """

    def __init__(
        self, *, sound: str, bell: bool, command: str | None, say: Callable[[str], None]
    ) -> None:
        self._bell, self._command, self._say = bell, command, say
        self._sounds = sound != "off"
        self._norms = sound == "norms"
        self._player = Player(find_player(), say) if self._sounds else None
        self._running: list[tuple[subprocess.Popen[bytes], float]] = []
        self._waiting: deque[Message] = deque(maxlen=_MAX_WAITING)
        self._failures: set[int] = set()  # statuses that were said

    def __enter__(self) -> "Actions":
        return self

    def __exit__(self, *_: object) -> None:
        deadline = time.monotonic() + 5.0  # a command at the last message is what it is for
        while (self._running or self._waiting) and time.monotonic() < deadline:
            self.go_on()
            time.sleep(0.05)
        for process, _since in self._running:
            self._kill(process)
        if self._running or self._waiting:
            words = {"ended": len(self._running), "not run": len(self._waiting)}
            counts = [f"{count} {what}" for what, count in words.items() if count]
            self._say(f"commands of --exec: {', '.join(counts)}")
        if self._player is not None:
            self._player.close()

    def take(self, message: "Message") -> None:
        """Do what there is to do at a message."""
        if message.level == "PROBLEM" and message.kind != "state" and self._bell:
            sys.stdout.write("\a")
            sys.stdout.flush()
        if message.level != "NOTE" and message.kind != "state" and self._sounds and self._player:
            earcon = _EARCONS.get(message.kind, Earcon.SPIKE)
            wave = earcon_waveform(earcon, frames=int(_SECONDS * _RATE), sample_rate=_RATE)
            self._player.play((0.5 * 32_767 * wave).astype(np.int16)[:, None], _RATE)
        is_told = message.level != "NOTE" or message.kind == "ended"
        if self._command is not None and message.kind != "state" and is_told:
            self._waiting.append(message)
            self.go_on()

    def hear(self, norms: NDArray[np.float32]) -> None:
        """Play rows of gradient norms, ``(rows, layers)``, as at most 100 notes."""
        if not (self._norms and self._sounds and self._player):
            return
        preset = PRESETS["smooth"]
        notes = aggregate(norms, rows_per_note=-(-len(norms) // 100))
        self._player.play(render(notes, preset=preset), preset.sample_rate)

    def toggle_sound(self) -> str:
        """Turn sound on or off; gives what to say of it."""
        self._sounds = not self._sounds
        if self._sounds and self._player is None:
            try:
                self._player = Player(find_player(), self._say)
            except FileNotFoundError as error:
                self._sounds = False
                return str(error)
        return "sound on" if self._sounds else "sound off"

    def go_on(self) -> None:
        """Go on with sounds, and look after the commands."""
        if self._player is not None:
            self._player.go_on()
        running = self._running
        self._running = []
        for process, since in running:
            status = process.poll()
            if status is None and time.monotonic() - since < _COMMAND_SECONDS:
                self._running.append((process, since))
            elif status is None:
                self._kill(process)
                self._say(f"the command of --exec was ended after {_COMMAND_SECONDS:.0f} seconds")
            elif status and status not in self._failures:
                self._failures.add(status)
                self._say(f"the command of --exec failed with status {status}")
        while self._waiting and len(self._running) < _MAX_COMMANDS:
            self._run(self._waiting.popleft())

    def _run(self, message: "Message") -> None:
        values = {
            "RUN": message.run,
            "KIND": message.kind,
            "LEVEL": message.level,
            "STEP": "" if message.step is None else str(message.step),
            "TEXT": message.text,
        }
        environment = {f"TB_SONIFY_{name}": value for name, value in values.items()}
        process = subprocess.Popen(
            str(self._command),
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=_STANDARD_ERROR,  # lines on standard output are for whoever reads them there
            env={**os.environ, **environment},
            start_new_session=True,
        )
        self._running.append((process, time.monotonic()))

    @staticmethod
    def _kill(process: "subprocess.Popen[bytes]") -> None:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.wait()
