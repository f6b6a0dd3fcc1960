"""Large work one at a time: small work goes on, memory is bounded, slow readers hold nobody up."""

import socket
import threading
import time
import tracemalloc
from contextlib import ExitStack, suppress

import numpy as np
import pytest
from tensorboard.context import RequestContext

from tb_sonify.reading import limits
from tb_sonify.reading.audio import render_chunks
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.reading.work import (
    Abandoned,
    Overloaded,
    WorkLimiter,
    client_connection,
)
from tb_sonify.sound import PRESETS, render
from tests.logs import norms_of, row_events, write_events

LARGE = limits.SMALL_VALUES + 1


def test_large_work_is_done_one_after_the_other():
    limiter, at_once, most = WorkLimiter(), [], []

    def work():
        with limiter.slot(LARGE):
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
    monkeypatch.setattr("tb_sonify.reading.limits.PATIENCE_SECONDS", 0.01)
    work = WorkLimiter()
    with work.slot(LARGE):
        with work.slot(limits.SMALL_VALUES):
            pass
        with pytest.raises(Overloaded) as refused, work.slot(LARGE):
            pass
    assert (refused.value.http_code, refused.value.headers) == (503, [("Retry-After", "10")])
    with work.slot(LARGE):  # each was given back
        pass


def test_what_goes_wrong_gives_its_slot_back(monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.PATIENCE_SECONDS", 0.01)
    work = WorkLimiter()
    for _ in range(20):
        with pytest.raises(ZeroDivisionError), work.slot(LARGE):
            _ = 1 / 0


def test_small_work_is_done_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.PATIENCE_SECONDS", 0.01)
    work = WorkLimiter()
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(work.slot(limits.SMALL_VALUES))
        with pytest.raises(Overloaded), work.slot(1):
            pass
        with work.slot(LARGE):
            pass


def test_slots_go_to_those_who_ask_in_their_order_and_not_to_whoever_has_one_again():
    work, taken = WorkLimiter(), []

    def take(name, count):
        taken.extend(name for _ in work.each(iter(range(count)), count, values=LARGE))

    threads = []
    with work.slot(LARGE):
        for name in "abc":
            threads.append(threading.Thread(target=take, args=(name, 3)))
            threads[-1].start()
            time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert sorted(taken[:3]) == ["a", "b", "c"]
    assert sorted(taken) == ["a", "a", "a", "b", "b", "b", "c", "c", "c"]


@pytest.mark.parametrize("hangs_up", [False, True])
def test_who_hangs_up_while_waiting_gives_the_slot_to_the_next(hangs_up):
    work = WorkLimiter()
    done = []
    server, client = socket.socketpair()

    def ask():
        client_connection.set(server)
        with suppress(Abandoned), work.slot(LARGE):
            done.append(True)

    with server, client:
        with work.slot(LARGE):
            thread = threading.Thread(target=ask)
            thread.start()
            time.sleep(0.05)
            if hangs_up:
                client.close()
        thread.join()
    assert done == ([] if hangs_up else [True])
    with work.slot(LARGE):  # it was given back
        pass


def test_pieces_that_have_become_many_wait_for_a_slot_and_hold_none_between(monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.PATIENCE_SECONDS", 0.01)
    work = WorkLimiter()
    made = work.each(iter("abcd"), 4, values=limits.SMALL_VALUES // 2)
    assert next(made) == "a"
    with work.slot(LARGE):
        assert next(made) == "b"  # still small
        with pytest.raises(Overloaded):
            next(made)
    longer = work.each(iter("abc"), 3, values=LARGE)
    assert next(longer) == "a"
    with work.slot(LARGE):
        pass
    assert list(longer) == ["b", "c"]


def test_the_end_is_told_without_a_slot_and_whoever_hangs_up_ends_the_pieces():
    work = WorkLimiter()
    made = work.each(iter("ab"), 2, values=LARGE)
    assert [next(made), next(made)] == ["a", "b"]
    with work.slot(LARGE):
        assert list(made) == []
    server, client = socket.socketpair()
    made, rest = work.each(iter("ab"), 2, values=LARGE), []

    def take_the_rest():
        client_connection.set(server)
        rest.append(list(made))

    with server:
        assert next(made) == "a"
        client.close()
        with work.slot(LARGE):
            thread = threading.Thread(target=take_the_rest)
            thread.start()
            time.sleep(0.05)
        thread.join()
    assert rest == [[]]


@pytest.mark.parametrize("preset", PRESETS.values(), ids=lambda preset: preset.name)
def test_pieces_are_the_clip_that_is_made_at_once(tmp_path, open_slow_client, preset):
    norms = norms_of(700)
    norms[134, 2], norms[300:360, 1] = np.nan, 0
    write_events(tmp_path / "run", row_events(norms, range(700)))
    client = open_slow_client(tmp_path)
    scope = Scope(RequestContext(), "")
    timeline = Timelines(Store(client.provider)).get(scope, "run")
    assert timeline.notes == 700
    ticks = np.arange(700) % 50 == 0
    made = list(render_chunks(timeline, 0, 700, preset=preset, state=None, ticks=ticks))
    whole = render(timeline.table(0, 700), preset=preset, ticks=ticks)
    assert len(made) > 2
    joined = np.concatenate(made).astype(int)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() <= 1


def test_a_long_clip_is_not_held_in_memory(tmp_path, open_slow_client):
    write_events(tmp_path / "run", row_events(norms_of(4_000), range(4_000)))
    client = open_slow_client(tmp_path)
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
