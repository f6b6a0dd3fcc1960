"""An export, as it is written by the command and served by a plain file server."""

import functools
import io
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import soundfile

from tb_sonify.schema.block import decode_block
from tb_sonify.site.answers import key_of
from tests.commands import tb_sonify_here
from tests.dashboard import SNIPPET, Clip

# By it the helpers of the tab know the frame of the dashboard; here it is a part of the path.
SITE = Path("some/where/plugin_entry")


def export(logdir: Path, output: Path, *options: str) -> str:
    """Export runs; gives what is printed."""
    done = tb_sonify_here("export", logdir, "-o", output, *options)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the standard library's)
        pass


@contextmanager
def file_server(root: Path) -> Iterator[str]:
    """A file server that knows nothing of us; gives its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=root))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def table(site: Path) -> dict[str, str]:
    """Files of answers by what is asked, as the page has them."""
    page = (site / "index.html").read_text()
    (text,) = re.findall(r'id="sonify-site">(.*?)</script>', page)
    return dict(json.loads(text)["answers"])


def answer(site: Path, route: str, **arguments: Any) -> bytes:
    return (site / table(site)[key_of(route, arguments)]).read_bytes()


def clips(site: Path, run: str, **view: Any) -> list[Clip]:
    """All clips of a run with the first preset, as the page asks for them."""
    header: Mapping[str, Any] = decode_block(answer(site, "coverage", run=run, **view)).header
    preset = header["presets"][0]
    found = []
    for segment in header["segments"]:
        span = {"first_note": segment["first_note"], "notes": segment["notes"]}
        data = answer(site, "clip", run=run, preset=preset["name"], **span, **view)
        samples, rate = soundfile.read(io.BytesIO(data), always_2d=True)
        found.append(Clip(run, span["first_note"], preset["hop"], rate, samples[SNIPPET, 0]))
    return found
