"""Large work in turns: small work goes on, memory stays, and nobody waits for a slow reader."""

import threading
import time
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from tensorboard.context import RequestContext

from tb_sonify.reading.audio import render_chunks
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.reading.work import MOST_SMALL, Abandoned, Overloaded, WorkLimiter, has_hung_up
from tb_sonify.sound import PRESETS, render
from tests.logs import norms_of, row_events, write_events

LARGE = MOST_SMALL + 1


def test_large_work_is_done_one_after_the_other():
    turns, at_once, most = WorkLimiter(), [], []

    def work():
        with turns.of(LARGE):
            at_once.append(1)
            most.append(len(at_once))
            time.sleep(0.01)
            at_once.pop()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


def test_small_work_goes_on_beside_large_work_and_large_work_is_not_waited_for_for_ever(
    monkeypatch,
):
    monkeypatch.setattr("tb_sonify.reading.work.PATIENCE_SECONDS", 0.01)
    turns = WorkLimiter()
    with turns.of(LARGE):
        with turns.of(MOST_SMALL):
            pass
        with pytest.raises(Overloaded) as refused, turns.of(LARGE):
            pass
    assert (refused.value.http_code, refused.value.headers) == (503, [("Retry-After", "10")])
    with turns.of(LARGE):  # each was given back
        pass


def test_what_goes_wrong_gives_its_turn_back(monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.work.PATIENCE_SECONDS", 0.01)
    turns = WorkLimiter()
    for _ in range(20):
        with pytest.raises(ZeroDivisionError), turns.of(LARGE):
            _ = 1 / 0


@pytest.mark.parametrize(("back", "expected"), [(10.0, "small large"), (0.05, "large small")])
def test_what_is_less_goes_first_unless_what_is_more_has_waited_long(monkeypatch, back, expected):
    monkeypatch.setattr("tb_sonify.reading.work._MOST_SECONDS_BACK", back)
    turns, done = WorkLimiter(), []

    def work(name, numbers):
        with turns.of(numbers):
            done.append(name)

    threads = []
    with turns.of(LARGE):
        for work_of in (("large", 1_000 * LARGE), ("small", LARGE)):
            threads.append(threading.Thread(target=work, args=work_of))
            threads[-1].start()
            time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert " ".join(done) == expected


@pytest.mark.parametrize("hangs_up", [False, True])
def test_who_hangs_up_while_waiting_gives_the_turn_to_the_next(hangs_up):
    turns = WorkLimiter()
    done = []

    def work():
        has_hung_up.set(lambda: hangs_up)
        with suppress(Abandoned), turns.of(LARGE):
            done.append(True)

    with turns.of(LARGE):
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.05)
    thread.join()
    assert done == ([] if hangs_up else [True])
    with turns.of(LARGE):  # it was given back
        pass


def test_pieces_that_have_become_many_wait_for_their_turn_and_hold_none_between(monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.work.PATIENCE_SECONDS", 0.01)
    turns = WorkLimiter()
    made = turns.each(iter("abcd"), MOST_SMALL // 2)
    assert next(made) == "a"
    with turns.of(LARGE):
        assert next(made) == "b"  # still small
        with pytest.raises(Overloaded):
            next(made)
    longer = turns.each(iter("abc"), LARGE)
    assert next(longer) == "a"
    with turns.of(LARGE):
        pass
    assert list(longer) == ["b", "c"]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_pieces_are_the_clip_that_is_made_at_once(tmp_path, open_client, preset):
    norms = norms_of(700)
    norms[134, 2], norms[300:360, 1] = np.nan, 0
    write_events(tmp_path / "run", row_events(norms, range(700)))
    client = open_client(tmp_path)
    scope = Scope(RequestContext(), "")
    timeline = Timelines(Store(client.provider)).get(scope, "run")
    assert timeline.notes == 700
    ticks = np.arange(700) % 50 == 0
    made = list(render_chunks(timeline, 0, 700, preset=preset, lead=None, ticks=ticks))
    whole = render(timeline.table(0, 700), preset=preset, ticks=ticks)
    assert len(made) > 2
    joined = np.concatenate(made).astype(int)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() <= 1


def test_a_long_clip_is_not_held_in_memory(tmp_path, open_client):
    write_events(tmp_path / "run", row_events(norms_of(4_000), range(4_000)))
    client = open_client(tmp_path)
    query = {"run": "run", "preset": "smooth", "first_note": 0, "notes": 4_000}
    notes = client.block_of("coverage", run="run").header["notes"]
    tracemalloc.start()
    response = client.get("/data/plugin/sonify/sound", query_string=query, buffered=False)
    assert response.status_code == 200
    size = sum(map(len, response.iter_encoded()))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == response.content_length == 44 + 4 * (notes * 1_440 + 96)
    assert size > 20e6
    assert peak < size
