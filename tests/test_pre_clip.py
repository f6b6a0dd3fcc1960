"""Rows of gradients that were clipped: of before it, and they say so."""

import math
from weakref import ref

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_ as torch_clip

from tb_sonify import SonifyWriter, clip_grad_norm_
from tests.commands import tb_sonify as command
from tests.reference import assert_norms, layer_norms, pre_clip
from tests.training import backward, network, pre_clip_sums, sgd, watched

INF = math.inf


def test_rows_are_of_before_clipping_and_say_so(writer, tmp_path):
    model, optimizer = watched(writer)
    expected = {}
    for step in range(30):
        expected[step] = backward(model)
        clip_grad_norm_(model.parameters(), 1e-3)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {True}


def test_after_torchs_clipping_rows_are_what_the_optimizer_gets(writer, tmp_path):
    model, optimizer = watched(writer)
    backward(model)
    torch_clip(model.parameters(), 1e-3)
    expected = layer_norms(model)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})
    assert pre_clip(tmp_path) == {False}


def test_what_clipping_did_not_see_is_measured_at_the_step(writer, tmp_path):
    model, optimizer = watched(writer)
    expected = {}
    for step in range(5):
        expected[step] = backward(model)
        clip_grad_norm_(model[2].parameters(), 1e-3)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {"mixed"}


def test_each_layer_may_be_clipped_by_itself_and_then_all_of_them(writer, tmp_path):
    model, optimizer = watched(writer)
    expected = {}
    for step in range(5):
        expected[step] = backward(model)
        clip_grad_norm_(model[0].weight, 1e-2)  # a single tensor
        clip_grad_norm_(model[2].parameters(), 1e-3)
        clip_grad_norm_(list(model.parameters()), 1e-4)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {True}


@pytest.mark.parametrize("set_to_none", [True, False])
def test_norms_of_a_step_that_was_not_taken_are_forgotten(writer, tmp_path, set_to_none):
    model, optimizer = watched(writer)
    backward(model)
    clip_grad_norm_(model.parameters(), 1e-3)
    model.zero_grad(set_to_none)
    model(torch.randn(3, 4)).square().sum().backward()
    expected = layer_norms(model)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})
    assert pre_clip(tmp_path) == {False}


def test_a_gradient_that_grows_after_clipping_is_measured_again(writer, tmp_path):
    model, optimizer = watched(writer)
    backward(model)
    clip_grad_norm_(model.parameters(), 1e-3)
    model(torch.randn(3, 4)).square().sum().backward()
    expected = layer_norms(model)
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})


def test_a_watch_of_another_norm_gets_its_own_and_several_get_theirs(tmp_path):
    model = network()
    optimizer = sgd(model)
    writers = {kind: SonifyWriter(str(tmp_path / str(kind))) for kind in (1.0, 2.0, INF)}
    for kind, writer in writers.items():
        writer.watch(model, optimizer, norm_type=kind)
    expected = {kind: {} for kind in writers}
    for step in range(5):
        backward(model)
        for kind in writers:
            expected[kind][step] = layer_norms(model, kind)
        clip_grad_norm_(model.parameters(), 1e-3, norm_type=2)
        optimizer.step()
    for kind, writer in writers.items():
        writer.close()
        assert_norms(tmp_path / str(kind), expected[kind])
        assert pre_clip(tmp_path / str(kind)) == {True}


def test_some_watched_layers_and_every_few_steps(writer, tmp_path):
    model, optimizer = watched(writer, include="2", every=3)
    expected = {}
    for step in range(10):
        norms = backward(model)
        if step % 3 == 0:
            expected[step] = {"2": norms["2"]}
        clip_grad_norm_(model.parameters(), 1e-3)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {True}


def test_norms_that_are_added_by_hand_are_of_before_clipping_while_watched(writer, tmp_path):
    model = network()
    writer.watch(model)
    expected = backward(model)
    clip_grad_norm_(model.parameters(), 1e-3)
    writer.add_gradient_norms(model, 7)
    writer.close()
    assert_norms(tmp_path, {7: expected})


def test_clipping_in_a_closure_is_seen(writer, tmp_path):
    model, optimizer = watched(writer)
    expected = {}

    def closure():
        expected[0] = backward(model)
        clip_grad_norm_(model.parameters(), 1e-3)

    optimizer.step(closure)
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_gradient_is_freed_as_ever(writer):
    model = network()
    writer.watch(model)
    backward(model)
    clip_grad_norm_(model.parameters(), 1.0)
    gradients = [ref(p.grad) for p in model.parameters()]
    assert all(gradient() is not None for gradient in gradients)
    model.zero_grad()
    assert all(gradient() is None for gradient in gradients)


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        (clip_grad_norm_, "norms are those before clipping"),
        (torch_clip, "norms are those that the optimizer got, after any clipping"),
    ],
)
def test_the_run_says_in_words_which_it_is(tmp_path, clip, words):
    model = network()
    optimizer = sgd(model)
    with SonifyWriter(str(tmp_path / "run")) as writer:
        writer.watch(model, optimizer)
        backward(model)
        clip(model.parameters(), 1e-3)
        optimizer.step()
    assert f"  {words}\n" in command("describe", tmp_path).stdout


def test_clipping_parameter_by_parameter_is_as_true_and_keeps_little(writer, tmp_path):
    model = nn.Sequential(*[nn.Linear(4, 4) for _ in range(40)])
    optimizer = sgd(model)
    writer.watch(model, optimizer)
    expected = {}
    for step in range(60):
        expected[step] = backward(model)
        for parameter in model.parameters():
            clip_grad_norm_(parameter, 1e-3)
        optimizer.step()
    assert len(pre_clip_sums()) <= 40
    writer.close()
    assert_norms(tmp_path, expected)
    assert pre_clip(tmp_path) == {True}
