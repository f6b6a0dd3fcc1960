"""Firefox without a window, steered by Marionette, the protocol of Mozilla's own tests."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.sound_device import FIRST
from tests.waiting import WAIT_SECONDS, ending, wait_until

NAMES = ("firefox-esr", "firefox")
PREFERENCES = {
    "app.normandy.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "marionette.port": 0,  # any; it is written to a file of the profile
    "media.hardwaremediakeys.enabled": False,  # asks D-Bus
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.startup.max_resumed_crashes": -1,
}
KEYS = {
    "Space": " ",
    "Enter": "\ue007",
    "Shift": "\ue008",
    "Control": "\ue009",
    "Home": "\ue011",
    "ArrowRight": "\ue014",
}


def find() -> str | None:
    """Path of an installed Firefox."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Firefox:
    """One window; scripts are functions' bodies, with `arguments`."""

    def __init__(self, port: int) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), WAIT_SECONDS)
        self._stream = self._connection.makefile("rwb")
        self._receive()  # what it is
        self._number = 0
        self("WebDriver:NewSession")

    def __call__(self, command: str, **parameters: Any) -> Any:
        """The result of a command of WebDriver, as Marionette names them."""
        self._number += 1
        message = json.dumps([0, self._number, command, parameters]).encode()
        self._stream.write(b"%d:%s" % (len(message), message))
        self._stream.flush()
        _, number, error, result = self._receive()
        assert number == self._number
        assert error is None, f"{command}: {error}"
        return result

    def open(self, url: str) -> None:
        self("WebDriver:Navigate", url=url)

    def enter_frame(self, selector: str) -> None:
        """Steer the document of a frame from now on, once it is there."""
        self.wait_for("return document.querySelector(arguments[0]) !== null", selector)
        element = self("WebDriver:FindElement", using="css selector", value=selector)["value"]
        self("WebDriver:SwitchToFrame", element=next(iter(element.values())))

    def evaluate(self, script: str, *arguments: Any) -> Any:
        return self("WebDriver:ExecuteScript", script=script, args=arguments)["value"]

    def wait_for(self, script: str, *arguments: Any) -> None:
        """Wait until a script returns something true."""
        wait_until(lambda: self.evaluate(script, *arguments), f"{script} {arguments}")

    def click(self, x: float, y: float) -> None:
        """A click by the mouse, in CSS pixels of the document that is steered."""
        move = {"type": "pointerMove", "x": round(x), "y": round(y)}
        buttons = [{"type": f"pointer{way}", "button": 0} for way in ("Down", "Up")]
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *buttons]}
        self("WebDriver:PerformActions", actions=[mouse])

    def press(self, *chords: str) -> None:
        """Press keys, named as in Playwright."""
        for chord in chords:
            keys = [KEYS.get(key, key) for key in chord.split("+")]
            actions = [{"type": "keyDown", "value": key} for key in keys]
            actions += [{"type": "keyUp", "value": key} for key in reversed(keys)]
            keyboard = {"type": "key", "id": "keyboard", "actions": actions}
            self("WebDriver:PerformActions", actions=[keyboard])

    def quit(self) -> None:
        with suppress(OSError, ValueError):  # it may end before it answers
            self("Marionette:Quit", flags=["eForceQuit"])
        self._stream.close()
        self._connection.close()

    def _receive(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise ConnectionError("Firefox has ended")
            length += byte
        return json.loads(self._stream.read(int(length)))


@contextmanager
def started(profile: Path, environment: dict[str, str]) -> Iterator[Firefox]:
    """Firefox with a profile of its own, which also is its home."""
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});"
        for name, value in PREFERENCES.items()
    ]
    (profile / "user.js").write_text("\n".join(lines))
    path = find()
    assert path is not None
    command = [*FIRST, path, "--headless", "--marionette", "--no-remote", "--profile", str(profile)]
    own = {**environment, "HOME": str(profile)}
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with ending(subprocess.Popen(command, env=own, start_new_session=True, **quiet)) as process:
        port = profile / "MarionetteActivePort"
        firefox = Firefox(int(wait_until(lambda: port.exists() and port.read_text(), "it listens")))
        yield firefox
        firefox.quit()
        process.wait(WAIT_SECONDS)
