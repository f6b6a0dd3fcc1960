"""How often the data provider is asked, which takes its time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import pytest
from tensorboard.context import RequestContext

from tb_sonify.reading.store import Scope, Store
from tests.logs import scalar_events, write_events

SCOPE = Scope(RequestContext(), "")


class Slow:
    """A provider of which each answer takes some time; it counts how often it is asked."""

    def __init__(self, provider, seconds):
        self._provider, self._seconds, self.asked = provider, seconds, 0
        self.lets_go = threading.Event()
        self.lets_go.set()

    def list_runs(self, *arguments, **options):
        return self._provider.list_runs(*arguments, **options)

    def read_scalars(self, *arguments, **options):
        self.asked += 1
        assert self.lets_go.wait(60)
        time.sleep(self._seconds)
        return self._provider.read_scalars(*arguments, **options)


@pytest.fixture
def slow(tmp_path, open_client):
    """Makes a slow provider of a run of two points."""
    write_events(tmp_path / "run", scalar_events("loss", [(0, 2.0), (1, 1.0)]))
    client = open_client(tmp_path)
    return lambda seconds: Slow(client.provider, seconds)


def test_who_asks_for_what_is_just_being_read_gets_what_was_there(slow, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.REFRESH_SECONDS", 0.0)
    provider = slow(0.0)
    store = Store(provider)
    assert len(store.points(SCOPE, "run", "loss")) == 2
    provider.lets_go.clear()
    with ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(store.points, SCOPE, "run", "loss") for _ in range(20)]
        answered = islice(as_completed(asking, timeout=60), 17)  # three may begin at once
        assert [len(each.result()) for each in answered] == [2] * 17
        provider.lets_go.set()
        assert {len(each.result()) for each in asking} == {2}
    assert 2 <= provider.asked <= 4


def test_what_takes_long_is_asked_for_less_often(slow, monkeypatch):
    monkeypatch.setattr("tb_sonify.reading.limits.REFRESH_SECONDS", 0.0)
    monkeypatch.setattr("tb_sonify.reading.limits.QUICK_SECONDS", 0.1)
    provider = slow(0.2)
    store = Store(provider)
    began = time.monotonic()
    while provider.asked < 4:
        assert len(store.points(SCOPE, "run", "loss")) == 2
        assert list(store.points_of_all(SCOPE, "loss")) == ["run"]
        time.sleep(0.01)
    assert 0.8 * (time.monotonic() - began) > 4 * 0.2
