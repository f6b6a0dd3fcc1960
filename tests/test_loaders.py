"""A real `tensorboard`, by both of its loaders: every segment of a run plays."""

import io
import json
import urllib.parse
import urllib.request
import wave
from email.message import Message
from pathlib import Path

import numpy as np
import pytest

from tb_sonify.schema.block import decode_block
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.serving import served
from tests.waiting import wait_until

STEPS = 3_000


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log directory with a run of 3,000 steps."""
    directory = tmp_path_factory.mktemp("logs")
    loss = scalar_events("loss", [(step, 1 / (1 + step)) for step in range(STEPS)])
    events = run_events(norms_of(STEPS), np.arange(STEPS))
    write_events(directory / "a run" / "sgd", [*events, *loss])
    return directory


def get(address: str, route: str, **query: object) -> tuple[bytes, Message]:
    url = f"{address}data/plugin/sonify/{route}?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=30) as response:
        return response.read(), response.headers


@pytest.mark.server
@pytest.mark.parametrize("load_fast", ["true", "false"])
@pytest.mark.parametrize("prefix", ["", "/x"])
def test_every_segment_of_a_run_plays(logdir, load_fast, prefix):
    options = [f"--load_fast={load_fast}", *([f"--path_prefix={prefix}"] if prefix else [])]
    with served(logdir, *options) as address:
        assert address.endswith(f"{prefix}/")
        wait_until(lambda: notes(address) >= STEPS, "all steps are read")
        coverage, _ = get(address, "coverage", run="a run/sgd")
        segments = decode_block(coverage).header["segments"]
        assert len(segments) == 30
        sources = [play(address, segment) for segment in segments]
        assert set(sources) == {"logged", "rendered"}
        curve, _ = get(address, "curve", run="a run/sgd", tag="loss", points=20)
        assert decode_block(curve).header["last_step"] == STEPS - 1


def notes(address: str) -> int:
    """How many notes there are by now; TensorBoard begins to serve before it has read."""
    runs, _ = get(address, "runs")
    if not json.loads(runs)["runs"]:
        return 0
    return decode_block(get(address, "coverage", run="a run/sgd")[0]).header["notes"]


def play(address: str, segment: dict[str, int]) -> str:
    span = {"first_note": segment["first_note"], "notes": segment["notes"]}
    data, headers = get(address, "clip", run="a run/sgd", preset="smooth", **span)
    assert headers["X-Sonify-Notes"] == str(segment["notes"])
    with wave.open(io.BytesIO(data)) as reader:
        samples = np.frombuffer(reader.readframes(reader.getnframes()), "<i2")
    assert np.abs(samples).max() > 100
    return headers["X-Sonify-Source"]
