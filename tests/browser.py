"""The browsers of the end-to-end tests; `python -m tests.browser` installs what is not there."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.firefox import find as find_firefox
from tests.sound_device import missing

# Chromium without windows takes a third of the processor time for a page.
NAMES = (
    *("chromium-headless-shell", "chrome-headless-shell"),
    *("chromium", "google-chrome", "google-chrome-stable", "chromium-browser", "chrome"),
)
MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def find() -> str:
    """Path of a Chrome or Chromium that starts: $CHROME, an installed one, or Playwright's own."""
    for path in _candidates():
        if _starts(path):
            return path
    raise FileNotFoundError(
        "the browser tests need Chrome or Chromium, and none was found: run "
        "`python -m tests.browser` to install one, or set CHROME to its path"
    )


def install() -> None:
    """Install Debian's Chromium where that is possible, else Playwright's."""
    if not _install_debian("chromium-headless-shell"):
        # Its libraries come from the system's packages, which only root may install.
        root = platform.system() == "Linux" and os.geteuid() == 0
        options = ["--with-deps"] if root else []
        playwright = [sys.executable, "-m", "playwright", "install", *options, "chromium"]
        subprocess.run(playwright, check=True)


def install_firefox() -> None:
    """Install Firefox and a sound device for it from Debian; elsewhere its tests are skipped."""
    absent = missing() + ([] if find_firefox() else ["firefox"])
    if absent and not _install_debian("firefox-esr", "pulseaudio", "pulseaudio-utils"):
        print(f"the tests in Firefox are skipped: {', '.join(absent)} not found")


def _install_debian(*packages: str) -> bool:
    debian = "debian" in _os_release() and shutil.which("apt-get") and os.geteuid() == 0
    return bool(
        debian
        and _apt_get("update")
        and _apt_get("install", "--yes", "--no-install-recommends", *packages)
    )


def _candidates() -> Iterator[str]:
    if "CHROME" in os.environ:
        yield os.environ["CHROME"]
    yield from filter(None, map(shutil.which, NAMES))
    yield MACOS
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    yield own


def _starts(path: str) -> bool:
    """Whether it is a browser; Ubuntu's `chromium-browser` may be a note that there is none."""
    if not Path(path).is_file():
        return False
    return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0


def _os_release() -> str:
    """ID of the Linux distribution, empty where there is none."""
    try:
        return platform.freedesktop_os_release().get("ID", "")
    except OSError:
        return ""


def _apt_get(*arguments: str) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", *arguments]
    return subprocess.run(command, env=environment, check=False).returncode == 0


if __name__ == "__main__":
    try:
        found = find()
    except FileNotFoundError:
        install()
        found = find()
    print(f"browser: {found}")
    install_firefox()
