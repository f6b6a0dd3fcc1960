"""Layers in turn: the flow of the gradient through the network is heard as a melody."""

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, render

ARPEGGIO = PRESETS["arpeggio"]
FRAMES = ARPEGGIO.note_frames


def events(norms):
    """The samples of each layer in turn, and of the rest, shape ``(notes, events, frames, 2)``."""
    norms = np.asarray(norms, np.float32)
    pcm = render(aggregate(norms, rows_per_note=1), preset=ARPEGGIO) / 32767
    count = ARPEGGIO.events(norms.shape[1])
    return pcm[: len(norms) * count * FRAMES].reshape(len(norms), count, FRAMES, 2)


def peak_hz(event):
    mono = event.mean(axis=1)[-1_000:]
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(1_000), 1 << 17))
    return spectrum.argmax() * ARPEGGIO.sample_rate / (1 << 17)


def test_layers_sound_in_order_of_depth():
    norms = [0.01, 1.0, 0.1, 10.0]
    heard = events([norms, norms])[1]
    expected = [440 * norm ** (1 / 12) for norm in norms]
    assert [peak_hz(event) for event in heard[:4]] == pytest.approx(expected, rel=0.003)


def test_a_rest_parts_one_step_from_the_next():
    heard = events(np.ones((3, 4)))
    level = np.sqrt(np.mean(heard[1, :, 400:] ** 2, axis=(1, 2)))
    assert level[4] < 0.01 * level[:4].min()


def test_the_first_layer_is_on_the_left_and_the_last_on_the_right():
    heard = events(np.ones((2, 4)))[1]
    left, right = np.sqrt(np.mean(heard[:, 400:] ** 2, axis=1)).T
    assert left[0] > 2 * right[0]
    assert right[3] > 2 * left[3]


def test_many_layers_are_grouped():
    assert ARPEGGIO.hop(200) == ARPEGGIO.hop(8) == 9 * FRAMES
