"""Small, ordinary and huge requests of the tab, and a client that measures their latency."""

import http.client
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlencode, urlsplit

import numpy as np

from benchmarks.server import ROUTE

SECONDS = 120  # that an answer may take


_CLIP_SECONDS = 12  # at most, as the tab asks for them
_MOST_TONES = {"smooth": 1, "arpeggio": 33}  # of a note


@dataclass(frozen=True)
class Request:
    """A route of the plugin, and its arguments."""

    route: str
    query: Mapping[str, Any] = field(default_factory=dict)


class Client:
    """A client with one persistent connection."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._path = f"{parts.path}{ROUTE}"
        self._connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)

    def ask(self, request: Request, errors: Counter[str]) -> float:
        """Latency of a complete response in milliseconds; any status but 200 is an error."""
        start = time.perf_counter()
        try:
            answer = self._send(request)
            body = answer.read()
            if answer.status != 200:
                errors[f"{request.route}: {answer.status} {body[:200]!r}"] += 1
        except (OSError, http.client.HTTPException) as error:
            errors[f"{request.route}: {error!r}"] += 1
            self._connection.close()
        return 1_000 * (time.perf_counter() - start)

    def read_slowly(self, request: Request, ended: Event) -> None:
        """Read a response at one byte per second, then disconnect."""
        answer = self._send(request)
        while not ended.wait(1.0):
            answer.read(1)
        self._connection.close()

    def _send(self, request: Request) -> http.client.HTTPResponse:
        self._connection.request("GET", f"{self._path}{request.route}?{urlencode(request.query)}")
        return self._connection.getresponse()


def small(random: np.random.Generator) -> Request:
    """Requests of somebody who plays a short run."""
    first_note = int(random.integers(0, 1_400))
    clip = {"preset": "smooth", "first_note": first_note, "notes": 30, "zoom": 2}
    return [
        Request("clip", {"run": "small", **clip}),
        Request("notes", {"run": "small", "first_note": first_note, "notes": 100}),
        Request("curve", {"run": "small", "tag": "loss", "points": 1_000}),
        Request("heatmap", {"run": "small", "from": 0, "to": 1_500, "columns": 300}),
    ][random.integers(4)]


def huge(random: np.random.Generator, run: str, *, sound: bool = False) -> Request:
    """The largest requests that the arguments allow, never the same twice."""
    center = f"{random.uniform(0.1, 10):.9f}"
    notes = {"run": run, "preset": "smooth", "first_note": 0, "notes": 10_000, "center": center}
    requests = [
        Request("sound", {**notes, "speed": 4}),
        Request("sound", {**notes, "preset": "arpeggio", "speed": 4, "reference": 1}),
        Request("clip", {**notes, "first_note": 900}),
        Request("table", {"run": run, "tag": "loss"}),
        Request("describe", {"run": run}),
        Request("layers", {"run": run, "from": random.integers(1_000)}),
        Request("heatmap", {"run": run, "from": random.random(), "to": 200_000, "columns": 4_000}),
        Request("coverage", {"run": run, "along": "medium", "by": "fraction", "together": 2}),
        Request("coverage", {"run": "medium", "along": run, "by": "fraction"}),
        Request("coverage", {"run": run, "tag": "loss", **_scale(random)}),
    ]
    return requests[random.integers(2 if sound else len(requests))]


def ordinary(random: np.random.Generator, runs: Mapping[str, tuple[int, int]]) -> Request:
    """Random requests of the tab, for any of the runs."""
    run = str(random.choice(list(runs)))
    steps, layers = runs[run]
    low, high = sorted(random.integers(0, steps, 2).tolist())
    between = {"run": run, "from": low, "to": high + 1}
    notes = {"run": run, "first_note": int(random.integers(0, 1_400)), "notes": 100}
    preset, speed = str(random.choice(list(_MOST_TONES))), random.uniform(8, 32)
    sound = {"preset": preset, "speed": speed}
    most = min(int(_CLIP_SECONDS * speed / min(layers + 1, _MOST_TONES[preset])), 100)
    clip = {**notes, **sound, "notes": int(random.integers(1, most + 1))}
    requests = [
        Request("runs"),
        Request("news", {"run": run, "tag": "loss"}),
        Request("index.js"),
        Request("summaries", {"tag": "loss"}),
        Request("signals", {"run": run}),
        Request("curve", {**between, "tag": "loss", "points": 2_000}),
        Request("coverage", {"run": run, "together": 2 ** random.integers(3)}),
        Request("coverage", {"run": run, "tag": "loss", **_scale(random)}),
        Request("coverage", {"run": run, "along": "small", "by": "time"}),
        Request("notes", notes),
        Request("heatmap", {**between, "columns": 800}),
        Request("layers", between),
        Request("landmarks", {"run": run}),
        Request("describe", {"run": run}),
        Request("table", {"run": run, "from": low, "to": low + 500}),
        Request("legend", {**sound, "zoom": 2}),
    ]
    # Half of all that is asked for is sound.
    requests += [Request("clip", clip)] * len(requests)
    return requests[random.integers(len(requests))]


def _scale(random: np.random.Generator) -> dict[str, Any]:
    return {"scale": "linear", "low": 0, "high": f"{random.uniform(1, 10):.9f}"}
