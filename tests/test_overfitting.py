"""Overfitting: where it is told, and of which losses."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tb_sonify.landmarks.monitor import RunMonitor
from tb_sonify.landmarks.overfitting import overfitting_of
from tb_sonify.reading.description import describe_run
from tb_sonify.reading.logdir import chosen_runs, open_logdir
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.pairs import Pair, pairs_of, parse_pairs
from tests.commands import tb_sonify_here as command
from tests.labelled_pairs import precision_and_recall, score
from tests.logs import scalar_events, write_events

# Losses in event files of public repositories, as they were logged; of the longest, every tenth
# point. flax and lightning: github.com/phlippe/saved_models, MIT, (c) 2020 Phillip Lippe;
# huggingface: AguLeon/LoRA_RoBERTa_AGNews, MIT, (c) 2025 Agu Leon; keras:
# Alwaysproblem/tensorboard-review, Apache 2.0; sb3: lhwright13/TensorBoard-Flight-Analysis, MIT,
# (c) 2025 Lucas Wright.
LOGS = json.loads(Path(__file__).with_name("losses_of_logs.json").read_text())
# Each by hand: the step of the best validation loss where it rises for good afterwards.
LABELS = dict.fromkeys(LOGS) | {"flax/resnet": 10}


def landmarks_of(logdir, pairs=()):
    """The overfitting that is described of each run."""
    store, scope = open_logdir(logdir, pairs)
    found = {}
    for run in chosen_runs(store, scope, logdir, None):
        timeline = Timelines(store).get(scope, run)
        description = describe_run(store, scope, timeline, run, ())
        found[run] = [each for each in description.landmarks if each.kind == "overfitting"]
    return found


def write_losses(directory, losses):
    for tag, points in losses.items():
        write_events(directory, scalar_events(tag, points))


@pytest.mark.parametrize(
    ("names", "pairs"),
    [
        # PyTorch habits, TensorFlow's object detection, Ultralytics
        (["Loss/test", "Loss/train", "Loss/val"], [("Loss/train", "Loss/val")]),
        (["test_loss", "train_loss"], [("train_loss", "test_loss")]),
        (["trainLoss", "validLoss", "lr"], [("trainLoss", "validLoss")]),
        (["Train Loss", "Validation Loss"], [("Train Loss", "Validation Loss")]),
        (["loss", "val_loss"], [("loss", "val_loss")]),
        (
            ["train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss", "val/dfl_loss"],
            [("train/box_loss", "val/box_loss"), ("train/cls_loss", "val/cls_loss")],
        ),
        # Hugging Face, Lightning, Keras, torch's add_scalars
        (["eval/loss", "train/loss", "train/train_loss"], [("train/loss", "eval/loss")]),
        (["train_loss", "train_acc", "val_loss"], [("train_loss", "val_loss")]),
        (
            ["train_loss_epoch", "train_loss_step", "val_loss_epoch", "val_loss_step"],
            [("train_loss_epoch", "val_loss_epoch")],
        ),
        (
            ["train/epoch_loss", "validation/epoch_loss", "validation/epoch_accuracy"],
            [("train/epoch_loss", "validation/epoch_loss")],
        ),
        (["loss_dev/loss", "loss_train/loss"], [("loss_train/loss", "loss_dev/loss")]),
        # taken by `tb-sonify run`
        (["loss/backward", "val/loss"], [("loss/backward", "val/loss")]),
        # none
        (["train/loss", "train/acc", "val/acc", "val_loss_weight"], []),
        (["val/loss", "test/loss"], []),
        ([], []),
    ],
)  # fmt: skip
def test_losses_of_training_and_validation_are_paired_by_their_names(names, pairs):
    assert pairs_of(names) == pairs
    assert pairs_of(names[::-1]) == pairs


def test_pairs_of_the_user_come_instead():
    names = ["err/a", "err/b", "train/loss", "val/loss"]
    own = parse_pairs(" err/a:err/b , none:err/b,")
    assert pairs_of(names, own) == [("err/a", "err/b")]
    assert pairs_of(names[2:], own) == [("train/loss", "val/loss")]
    for text in ("a", "a:", ":b", "a:b:c"):
        with pytest.raises(ValueError, match="pairs are TRAINING:VALIDATION"):
            parse_pairs(text)


def test_real_logs_that_overfit_are_told_and_no_others(tmp_path):
    for run, losses in LOGS.items():
        write_losses(tmp_path / run, losses)
    found = landmarks_of(tmp_path)
    assert found.keys() == LABELS.keys()
    told = {run: [each.step for each in those] for run, those in found.items() if those}
    assert told.keys() == {run for run, step in LABELS.items() if step is not None}
    for run, [step] in told.items():
        assert abs(step - LABELS[run]) <= 0.1 * LABELS[run]
    [landmark] = found["flax/resnet"]
    assert landmark.sentence.startswith("overfitting, val/loss 1.06 to 1.65 while train/loss")
    assert landmark.quantity == "val/loss"


@pytest.mark.statistics
def test_labelled_losses_are_told_with_few_mistakes():
    precision, recall = precision_and_recall(score(range(1000, 1030)))
    assert precision >= 0.9
    assert recall >= 0.9


def trained(examples, *, decay=0.0, rate=3e-3, wrong=0.0, width=64, steps=300):
    """Losses of training and validation of a small network, and steps of validation."""
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(examples + 1000, 20, generator=random)
    classes = (inputs[:, 0] + inputs[:, 1] * inputs[:, 2] > 0).long()
    flipped = torch.rand(len(classes), generator=random) < wrong
    classes = torch.where(flipped, 1 - classes, classes)
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(20, width), torch.nn.ReLU(), torch.nn.Linear(width, 2)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    training, validation = [], []
    for step in range(steps):
        batch = torch.randint(examples, (min(examples, 64),), generator=random)
        loss = torch.nn.functional.cross_entropy(model(inputs[batch]), classes[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        training.append((step, loss.item()))
        if step % 10 == 9:
            with torch.no_grad():
                held_out = model(inputs[examples:])
            loss = torch.nn.functional.cross_entropy(held_out, classes[examples:])
            validation.append((step, loss.item()))
    return {"train/loss": training, "val/loss": validation}


# What is done, and whether the network overfits.
TRAININGS = {
    "40 examples": ({"examples": 40}, True),
    "wrong labels": ({"examples": 300, "wrong": 0.3, "width": 256}, True),
    "few examples of many, fast": ({"examples": 150, "rate": 1e-2}, True),
    "many examples": ({"examples": 20_000}, False),
    "strong weight decay": ({"examples": 2_000, "decay": 3.0}, False),
    "a learning rate that is too low": ({"examples": 150, "rate": 1e-5}, False),
}


@pytest.mark.training
def test_trainings_that_overfit_are_told_where_validation_is_best(tmp_path):
    runs = {name: trained(**options) for name, (options, _) in TRAININGS.items()}
    for name, losses in runs.items():
        write_losses(tmp_path / name, losses)
    found = landmarks_of(tmp_path)
    for name, (_, overfits) in TRAININGS.items():
        assert len(found[name]) == overfits, name
        if overfits:
            best, _ = min(runs[name]["val/loss"], key=lambda point: point[1])
            assert abs(found[name][0].step - best) <= max(0.1 * best, 10), name


def valley(points=40, best=15):
    """Steps, and losses of training and of a validation that is best at one of them."""
    steps = np.arange(points)
    return steps, 2 * 0.9**steps, 1 + 0.01 * (steps - best) ** 2


STEPS, TRAINING, VALIDATION = valley()


@pytest.mark.parametrize(
    ("training", "validation", "step"),
    [
        ((STEPS, TRAINING), (STEPS, VALIDATION), 15),
        # sparse
        ((STEPS[::8], TRAINING[::8]), (STEPS, VALIDATION), 15),
        ((STEPS, TRAINING), (STEPS[::5], VALIDATION[::5]), 15),
        # shifted: it begins later, or ends earlier
        ((STEPS[5:], TRAINING[5:]), (STEPS + 3, VALIDATION), 18),
        ((STEPS[:25], TRAINING[:25]), (STEPS, VALIDATION), 15),
        ((STEPS + 1000, TRAINING), (STEPS, VALIDATION), None),
        # constant
        ((STEPS, np.ones(40)), (STEPS, VALIDATION), None),
        ((STEPS, TRAINING), (STEPS, np.ones(40)), None),
        ((STEPS, TRAINING), (STEPS, np.zeros(40)), None),
        # NaN in parts, and throughout
        ((STEPS, TRAINING), (STEPS, np.where(STEPS % 3 == 1, np.nan, VALIDATION)), 15),
        ((STEPS, np.where(STEPS > 30, np.nan, TRAINING)), (STEPS, VALIDATION), 15),
        ((STEPS, TRAINING), (STEPS, np.where(STEPS > 18, np.inf, VALIDATION)), None),
        ((STEPS, TRAINING * np.nan), (STEPS, VALIDATION), None),
        ((STEPS, TRAINING), (STEPS, VALIDATION * np.nan), None),
        # of one point, or none
        ((STEPS[:1], TRAINING[:1]), (STEPS, VALIDATION), None),
        ((STEPS, TRAINING), (STEPS[:1], VALIDATION[:1]), None),
        ((STEPS[:0], TRAINING[:0]), (STEPS[:0], VALIDATION[:0]), None),
        # below zero, and of any size
        ((STEPS, TRAINING - 9), (STEPS, VALIDATION - 9), 15),
        ((STEPS, TRAINING * 1e30), (STEPS, VALIDATION * 1e-30), 15),
    ],
)  # fmt: skip
def test_odd_losses_have_the_right_landmark_or_none(training, validation, step):
    found = overfitting_of(training, validation)
    assert (None if found is None else found.step) == step


def test_a_validation_that_comes_back_or_rises_with_training_is_not_told():
    steps = np.arange(60)
    comes_back = np.concatenate([VALIDATION[:35], np.linspace(VALIDATION[34], 0.8, 25)])
    assert overfitting_of((steps, 2 * 0.9**steps), (steps, comes_back)) is None
    assert overfitting_of((STEPS, VALIDATION * 0.9), (STEPS, VALIDATION)) is None


def test_a_monitor_tells_it_once_and_no_later_than_it_is_described():
    monitor = RunMonitor()
    told = []
    steps = np.arange(400)
    training, validation = 2 * 0.99**steps, 1 + 1e-4 * (steps - 150) ** 2
    for step in steps:
        for tag, values in (("train_loss", training), ("val_loss", validation)):
            point = slice(step, step + 1)
            told += [(step, each) for each in monitor.add_points(tag, steps[point], values[point])]
    [(at, landmark)] = told  # its rise to seven times the best is no divergence
    assert (landmark.kind, landmark.step, landmark.quantity) == ("overfitting", 150, "val_loss")
    assert at < 200
    for stop in (at // 2, at + 1):
        prefix = slice(0, stop)
        found = overfitting_of(
            (steps[prefix], training[prefix]), (steps[prefix], validation[prefix])
        )
        assert (found is None) == (stop < at)


def test_validation_by_epoch_is_put_on_the_steps_of_training(tmp_path):
    steps = np.arange(0, 4000, 10)
    write_events(tmp_path, scalar_events("train/loss", zip(steps, 2 * 0.999**steps, strict=True)))
    every = [
        scalar_events("val/loss", [(epoch, value)], start=1_000.0 + 10 * epoch)[0]
        for epoch, value in enumerate(VALIDATION)
    ]
    write_events(tmp_path, every)
    [[landmark]] = landmarks_of(tmp_path).values()
    assert landmark.step == 1500


def test_neighbouring_runs_of_keras_are_one_training_told_of_in_the_first(tmp_path):
    for run, values in (("train", TRAINING), ("validation", VALIDATION), ("other", VALIDATION)):
        losses = {"epoch_loss": list(zip(STEPS, values, strict=True))}
        write_losses(tmp_path / "fit" / run, losses)
    own = (Pair("train/epoch_loss", "validation/epoch_loss"),)
    assert landmarks_of(tmp_path, own) == landmarks_of(tmp_path)
    assert "step 15: overfitting" in command("describe", tmp_path, "--run=fit/train").stdout
    found = {run: len(those) for run, those in landmarks_of(tmp_path).items()}
    assert found == {"fit/other": 0, "fit/train": 1, "fit/validation": 0}


def test_a_flag_and_an_option_name_other_pairs(tmp_path, open_client, caplog):
    losses = {"err/a": TRAINING, "err/b": VALIDATION}
    write_losses(tmp_path, {tag: zip(STEPS, values, strict=True) for tag, values in losses.items()})
    assert landmarks_of(tmp_path) == {".": []}
    assert landmarks_of(tmp_path, (Pair("err/a", "err/b"),))["."][0].step == 15
    client = open_client(tmp_path, "--sonify_pairs", "err/a:err/b")
    [landmark] = client.json_of("landmarks", run=".")["landmarks"]
    assert (landmark["kind"], landmark["step"]) == ("overfitting", 15)
    assert "overfitting, err/b" in client.sonify("describe", run=".").get_data(as_text=True)
    result = command("describe", tmp_path, "--pairs=err/a:err/b", "--fail-on=overfitting")
    assert result.returncode == 3
    assert "step 15: overfitting, err/b 1 to" in result.stdout
    assert "pairs are TRAINING" in command("describe", tmp_path, "--pairs=a").stderr
    result = command("describe", tmp_path, "--pairs=err/a:err/b,err/a:err/c")
    assert result.returncode == 2
    assert "no run has both scalars of the pair err/a:err/c" in result.stderr
    client = open_client(tmp_path, "--sonify_pairs", "nonsense")
    assert client.json_of("landmarks", run=".")["landmarks"] == []
    [warning] = [each for each in caplog.messages if "sonify_pairs" in each]
    assert "got 'nonsense'" in warning
