"""`SonifyWriter(on_landmark=...)`: who trains is told while training goes on."""

import sys
import threading
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from tb_sonify import SonifyWriter
from tb_sonify.landmarks import Landmark
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.timeline_builder import Timelines
from tests.waiting import wait_until

LAYERS = ("a", "b", "c")


def log(writer, rows=300, *, spike=(), nan=(), first=0, update_spike=None):
    """Log noise, with rows in which every norm is ten times as large, or NaN in one layer."""
    rng = np.random.default_rng(1)
    for step in range(first, first + rows):
        norms = np.exp(0.05 * rng.standard_normal(len(LAYERS)))
        norms *= 10 if step in spike else 1
        norms[1] = np.nan if step in nan else norms[1]
        writer.add_norms(dict(zip(LAYERS, norms, strict=True)), step)
        if update_spike is not None:
            updates = np.full(3, 0.1 * (3 if step == update_spike else 1))
            writer.add_norms(dict(zip(LAYERS, updates, strict=True)), step, quantity="update")


def rows_of(logdir):
    store, scope = open_logdir(logdir)
    return int(Timelines(store).get(scope, ".").first_rows[-1])


def test_landmarks_are_told_with_step_layer_quantity_and_sentence(tmp_path):
    told = []
    with SonifyWriter(tmp_path, presets=(), on_landmark=told.append) as writer:
        log(writer, spike=[200], nan=[250], update_spike=220)
        for step in range(300):
            loss = 2 + 0.01 * (step % 7) + (5 if step >= 280 else 0)
            writer.add_scalar("loss/train", torch.tensor(loss), step)
            writer.add_scalar("loss_scale", 1.0 if step < 280 else 65_536.0, step)
    assert all(isinstance(landmark, Landmark) for landmark in told)
    found = {(each.kind, each.step, each.quantity) for each in told}
    assert found >= {
        ("unusual", 200, "gradient"),
        ("nan", 250, "gradient"),
        ("unusual", 220, "update"),
        ("divergence", 282, "loss/train"),
    }
    assert {each.quantity for each in told} == {"gradient", "update", "loss/train"}
    [nan] = [each for each in told if each.kind == "nan"]
    assert (nan.layer, nan.sentence) == ("b", "NaN, first in b")


def test_a_pair_of_losses_that_overfits_is_told(tmp_path):
    told = []
    with SonifyWriter(tmp_path, presets=(), on_landmark=told.append) as writer:
        for step in range(100):
            writer.add_scalar("train/loss", 0.98**step, step)
            writer.add_scalar("val/loss", 1 + (step - 30) ** 2 / 1e3, step)
    [landmark] = told
    assert (landmark.kind, landmark.step, landmark.quantity) == ("overfitting", 30, "val/loss")


def test_a_callback_that_raises_is_called_again_with_one_warning(tmp_path):
    calls = []

    def fail(landmark):
        calls.append(landmark.kind)
        if len(calls) == 1:
            sys.exit(1)
        raise RuntimeError("no webhook")

    with (
        pytest.warns(RuntimeWarning, match="on_landmark failed") as caught,
        SonifyWriter(tmp_path, presets=(), on_landmark=fail) as writer,
    ):
        log(writer, spike=[200], nan=[250])
    assert calls == ["unusual", "nan"]
    assert len(caught) == 1
    assert rows_of(tmp_path) == 300


def test_a_callback_that_hangs_loses_no_row_and_training_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("tb_sonify.training.recorder._PATIENCE_SECONDS", 0.2)
    never = threading.Event()
    with (
        pytest.warns(RuntimeWarning, match="on_landmark has not returned") as caught,
        SonifyWriter(tmp_path, presets=(), on_landmark=lambda _: never.wait()) as writer,
    ):
        log(writer, 1_000, spike=[200], nan=[250])
    never.set()
    assert len(caught) == 1
    assert rows_of(tmp_path) == 1_000


def test_a_run_that_goes_back_to_an_earlier_step_begins_anew(tmp_path):
    told = []
    with SonifyWriter(tmp_path, presets=(), on_landmark=told.append) as writer:
        log(writer, 300)
        log(writer, 40, first=100, spike=range(100, 140))
    assert told == []


def test_a_script_can_stop_itself(tmp_path):
    torch.manual_seed(0)
    stop = threading.Event()
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with SonifyWriter(tmp_path, presets=(), on_landmark=lambda _: stop.set()) as writer:
        writer.watch(model, optimizer)
        for step in range(5_000):
            if stop.is_set():
                break
            optimizer.param_groups[0]["lr"] = 0.01 if step < 200 else 10.0
            optimizer.zero_grad()
            loss = model(torch.randn(16, 8)).square().mean()
            loss.backward()
            optimizer.step()
            writer.add_scalar("loss", loss.item(), step)
            if step % 64 == 63:
                writer.flush()
        wait_until(stop.is_set, "a landmark is told")
    assert 200 < step < 4_999


def test_without_a_callback_nothing_is_judged_and_what_is_none_is_refused(tmp_path):
    with pytest.raises(TypeError, match="on_landmark must be callable, got 'print'"):
        SonifyWriter(tmp_path, on_landmark="print")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with SonifyWriter(tmp_path, presets=()) as writer:
            log(writer, 100, spike=[90])
            writer.add_scalar("loss", 1.0)
    assert "tb_sonify landmarks" not in {thread.name for thread in threading.enumerate()}
