"""Models and optimizers that torch.compile compiles."""

import pytest
import torch
from torch import nn

from tb_sonify import clip_grad_norm_
from tb_sonify.training.layers import find_layers
from tests import recorded
from tests.reference import assert_norms, layer_norms
from tests.training import backward, network

pytestmark = [
    pytest.mark.training,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # torch's own, while it compiles
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def fresh_compiler():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()
    torch.set_flush_denormal(False)  # what torch 2.4 has compiled sets it for the whole process


@pytest.mark.parametrize("whole", [True, False])
def test_a_compiled_model_has_the_names_of_its_layers(writer, tmp_path, whole):
    model = network()
    compiled = torch.compile(model, backend="eager") if whole else model
    if not whole:
        model[2] = torch.compile(model[2], backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch = writer.watch(compiled, optimizer)
    assert watch.names == ("0", "2")
    expected = {}
    for step in range(5):
        optimizer.zero_grad()
        compiled(torch.randn(3, 4)).square().sum().backward()
        norms = layer_norms(model)
        expected[step] = {"0": norms["0"], "2": norms["2" if whole else "2._orig_mod"]}
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


@pytest.mark.parametrize(
    ("backend", "named", "kind"),
    [
        ("eager", True, torch.optim.Adam),
        ("aot_eager", False, torch.optim.Adam),
        ("inductor", True, torch.optim.SGD),
    ],
)
def test_a_compiled_step_makes_the_same_rows(writer, tmp_path, backend, named, kind):
    model = network()
    optimizer = kind(model.parameters(), lr=0.01)
    writer.watch(model, optimizer if named else None)
    step_of_optimizer = torch.compile(optimizer.step, backend=backend)
    expected = {}
    for step in range(12):
        expected[step] = backward(model)
        step_of_optimizer()
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_compiled_training_step_with_clipping_trains_and_is_logged(writer, tmp_path):
    model, twin = network(), network()
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.01) for each in (model, twin)]
    writer.watch(model, optimizers[0])

    def train(model, optimizer, clip, inputs):
        optimizer.zero_grad()
        model(inputs).square().sum().backward()
        clip(model.parameters(), 1e-2)
        optimizer.step()

    compiled = torch.compile(train, backend="eager")
    for _ in range(6):
        inputs = torch.randn(3, 4)
        compiled(model, optimizers[0], clip_grad_norm_, inputs)
        train(twin, optimizers[1], torch.nn.utils.clip_grad_norm_, inputs)
    for mine, other in zip(model.parameters(), twin.parameters(), strict=True):
        assert torch.equal(mine, other)
    writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == list(range(6))


def test_wrappers_leave_no_trace_in_names():
    model = nn.DataParallel(torch.compile(network(), backend="eager"))
    assert list(find_layers(model)) == ["0", "2"]
    assert "0.weight" in find_layers(model, granularity="parameter")
