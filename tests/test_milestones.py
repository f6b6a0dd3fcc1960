"""Milestones: what scripts log of learning rates, loss scales, skipped steps and checkpoints."""

import math

import numpy as np
import pytest

from tb_sonify.landmarks.milestones import MilestoneMonitor
from tb_sonify.schema.scalar_names import milestone_of
from tests.commands import tb_sonify_here as command
from tests.logs import scalar_events, write_events


@pytest.mark.parametrize(
    ("kind", "tags"),
    [
        ("schedule", ["lr", "train/learning_rate", "lr-AdamW/pg1", "learningRate", "charts/lr"]),
        ("scale", ["loss_scale", "loss-scale", "amp/scale", "scaler/scale", "grad_scale"]),
        ("skip", ["optim/step skipped", "skipped_iters", "num_skipped_batches"]),
        ("checkpoint", ["checkpoint", "ckpt/saved checkpoint", "train/checkpoints"]),
        ("epoch", ["epoch", "train/epoch"]),
        (None, ["loss", "lr-AdamW-momentum", "scale", "skip", "epoch_loss", "color/scale"]),
    ],
)  # fmt: skip
def test_the_words_of_a_name_say_what_is_told(kind, tags):
    assert {tag: milestone_of(tag) for tag in tags} == dict.fromkeys(tags, kind)


def found(tag, values, *, by=1):
    """Step and sentence of what is found, where a few points come at a time."""
    monitor = MilestoneMonitor()
    values, steps = np.asarray(values, np.float64), np.arange(len(values))
    return [
        (each.step, each.sentence)
        for start in range(0, len(values), by)
        for each in monitor.add(tag, steps[start : start + by], values[start : start + by])
    ]


def test_jumps_of_a_learning_rate_are_told_in_words():
    rates = np.repeat([0.1, 0.01, 0.001, 0.1], 50)
    expected = [
        (50, "learning rate cut to a tenth, 0.1 to 0.01"),
        (100, "learning rate cut to a tenth, 0.01 to 0.001"),
        (150, "learning rate raised 100 times, 0.001 to 0.1"),
    ]
    assert found("lr", rates) == found("lr", rates, by=7) == found("lr", rates, by=200) == expected


def test_a_restart_is_told_and_the_schedule_between_is_not():
    cosine = 1e-3 * (1.0001 + np.cos(np.linspace(0, math.pi, 60))) / 2
    [(step, sentence)] = found("lr", np.tile(cosine, 2))
    assert step == 60
    assert sentence.startswith("learning rate raised")


@pytest.mark.parametrize(
    "rates",
    [
        np.linspace(0, 1, 100),  # a warm-up
        np.linspace(1, 0, 100),
        0.5 ** np.arange(60.0),  # halved at every point
        1e-3 * (1 + np.cos(np.linspace(0, math.pi, 30))),
        1 / np.sqrt(np.arange(1, 200)),
        np.ones(100),
        np.tile([1e-3, 2e-4], 50),  # of two optimizers, under one name
        np.full(50, np.nan),
        [0.1],
        [],
    ],
)  # fmt: skip
def test_schedules_are_not_told_step_by_step(rates):
    assert found("lr", rates) == []


def test_a_loss_scale_that_falls_is_told_once_and_one_that_grows_is_not():
    scale = np.repeat([65536, 32768, 16384, 32768, 16384, 16384 / 3], [5, 3, 200, 300, 300, 5])
    assert found("loss_scale", scale) == [
        (5, "loss scale cut to half, 65536 to 32768"),
        (508, "loss scale cut to half, 32768 to 16384"),
        (808, "loss scale cut to a third, 16384 to 5461.33"),
    ]


def test_skipped_steps_and_checkpoints_are_told_at_most_five_times():
    skipped = np.zeros(2000)
    skipped[[3, 4, 500]] = 1
    assert found("step skipped", skipped) == [
        (3, "a step is skipped, step skipped 1"),
        (500, "a step is skipped, step skipped 1"),
    ]
    saved = found("checkpoint", np.tile([0, 0, 0, 1], 20), by=3)
    assert [step for step, _ in saved] == [3, 7, 11, 15, 19]
    assert saved[-1][1] == "checkpoint, checkpoint 1; later ones are not told"
    assert found("epoch", np.arange(100) / 30) == [(30, "first epoch over")]


def test_milestones_are_described_and_put_nothing_before_what_goes_wrong(tmp_path, open_client):
    rates = np.repeat([0.1, 0.01], [100, 100])
    for run in ("one", "two"):  # the learning rate of two groups of parameters
        for tag in ("lr/group0", "lr/group1"):
            write_events(tmp_path / run, scalar_events(tag, enumerate(rates)))
    losses = [math.nan if step > 150 else 1.0 for step in range(200)]
    write_events(tmp_path / "two", scalar_events("loss", enumerate(losses)))
    write_events(tmp_path / "three", scalar_events("loss", enumerate(np.ones(200))))
    text = command("describe", tmp_path).stdout
    table = text.split("\n\n")[0].splitlines()
    assert [line.split()[0] for line in table[1:]] == ["two", "one", "three"]
    assert not any("schedule" in line for line in table)
    assert text.count("step 100: learning rate cut to a tenth, 0.1 to 0.01") == 2
    landmarks = open_client(tmp_path).json_of("landmarks", run="one")["landmarks"]
    assert [(each["kind"], each["step"]) for each in landmarks] == [("schedule", 100)]


def test_a_learning_rate_by_epoch_is_told_at_the_step_of_the_loss(tmp_path):
    write_events(tmp_path, scalar_events("loss", [(10 * n, 1.0) for n in range(1000)]))
    rates = np.repeat([0.1, 0.01], 10)
    for epoch, rate in enumerate(rates):
        event = scalar_events("lr", [(epoch, rate)], start=1_000.0 + 50 * epoch)
        write_events(tmp_path, event)
    assert "step 5,000: learning rate cut to a tenth" in command("describe", tmp_path).stdout
