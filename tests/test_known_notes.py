"""Asking again what can be heard of a run that grows: what is known is not sent again."""

import numpy as np
import pytest

from tests.logs import norms_of, row_events, segment_events, write_events

pytestmark = pytest.mark.usefixtures("prompt_news")

NORMS, STEPS = norms_of(500), np.arange(500)


def write(run, rows, *, first=0):
    """Write rows, with the segments that are full by then."""
    part = slice(first, rows)
    write_events(run, row_events(NORMS[part], STEPS[part], first_row=first))
    segments = segment_events(NORMS[:rows], STEPS[:rows], presets=(), closed=False)
    write_events(run, segments[first // 100 :])


def test_what_is_known_is_not_sent_again(tmp_path, open_client):
    write(tmp_path / "run", 350)
    client = open_client(tmp_path)
    before = client.block_of("coverage", run="run")
    assert (before.header["first_note"], before.header["notes"]) == (0, 350)
    write(tmp_path / "run", 480, first=350)
    client.reload()
    after = client.block_of("coverage", run="run", known=before.header["key"])
    whole = client.block_of("coverage", run="run")
    assert (after.header["first_note"], after.header["notes"]) == (300, 480)
    assert after.header["segments"] == whole.header["segments"][3:]
    for name in ("steps", "times"):
        np.testing.assert_array_equal(after.arrays[name], whole.arrays[name][300:])
    assert whole.header["first_note"] == 0
    assert after.header["key"] == whole.header["key"] != before.header["key"]


def test_all_is_sent_where_what_is_known_is_something_else(tmp_path, open_client):
    write(tmp_path / "run", 350)
    write(tmp_path / "other", 350)
    client = open_client(tmp_path)
    key = client.block_of("coverage", run="run").header["key"]

    def first_note(known, **view):
        return client.block_of("coverage", **{"run": "run", **view}, known=known).header[
            "first_note"
        ]

    assert first_note(key) == 300
    assert first_note(key, run="other") == 300  # which is alike
    assert first_note(key, together=2) == 0
    for odd in ("", "-", "300", "300-", "0-", "301-00", "9" * 5_000, "-1-a", "\u0663-a", key + "0"):
        assert first_note(odd) == 0
    again = row_events(NORMS[:50] * 2, STEPS[150:200], session=9_000.0)
    write_events(tmp_path / "run", again)
    client.reload()
    assert first_note(key) == 0
