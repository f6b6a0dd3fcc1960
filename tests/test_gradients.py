import math

import pytest
import torch
from torch import nn

from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.training.grad_norms import LayerNorms
from tb_sonify.training.layers import find_layers

INF, NAN = math.inf, math.nan


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3))
        self.features = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(8, 2)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(10, 4)
        self.decoder = nn.Linear(4, 10)
        self.decoder.weight = self.embedding.weight


def norms_of(model, norm_type=2.0, **selection):
    norms = LayerNorms(find_layers(model, **selection), norm_type=norm_type)
    return dict(zip(norms.names, norms().tolist(), strict=True))


def reference(gradients, norm_type=2.0):
    values = torch.cat([g.detach().to_dense().double().flatten() for g in gradients])
    return torch.linalg.vector_norm(values, norm_type).item()


def with_gradients(*gradients):
    """A module whose parameters have these gradients, all in one layer."""
    module = nn.Module()
    for i, gradient in enumerate(gradients):
        parameter = nn.Parameter(torch.zeros(gradient.shape, dtype=gradient.dtype))
        parameter.grad = gradient
        module.register_parameter(f"p{i}", parameter)
    return module


def fill(model, scale=1.0):
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.grad = scale * torch.randn_like(parameter)
    return model


def test_a_layer_is_a_module_that_owns_parameters_named_as_in_named_modules():
    layers = find_layers(Network())
    assert list(layers) == ["Network", "features.0", "features.1", "head"]
    assert [p.shape for p in layers["head"]] == [(2, 8), (2,)]


def test_layers_can_be_single_parameters():
    names = list(find_layers(Network(), granularity="parameter"))
    assert names[:3] == ["scale", "features.0.weight", "features.0.bias"]


@pytest.mark.filterwarnings("ignore:.torch.nn.utils.weight_norm. is deprecated:FutureWarning")
def test_a_weight_that_is_computed_belongs_to_its_layer():
    model = nn.Sequential(
        nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)),
        nn.utils.parametrizations.spectral_norm(nn.Linear(4, 4)),
        nn.utils.parametrizations.orthogonal(nn.Linear(4, 4, bias=False)),
        nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 2)),
    )
    assert list(find_layers(model)) == ["0", "1", "2", "3.0", "3.1"]
    names = find_layers(model, granularity="parameter")
    assert list(names)[:3] == ["0.bias", "0.weight.original0", "0.weight.original1"]
    model(torch.randn(2, 3)).sum().backward()
    norms = norms_of(model)
    for name, layer in zip(norms, [*model[:3], *model[3]], strict=True):
        expected = reference([p.grad for p in layer.parameters()])
        assert norms[name] == pytest.approx(expected, rel=1e-5)


def test_patterns_choose_layers():
    model = Network()
    assert list(find_layers(model, include="features.*")) == ["features.0", "features.1"]
    assert list(find_layers(model, exclude=["head", "*.1"])) == ["Network", "features.0"]
    assert list(find_layers(model, include=["head", "features.*"], exclude="*.0")) == [
        "features.1",
        "head",
    ]


def test_a_shared_parameter_counts_once_with_its_first_owner():
    model = fill(Tied())
    norms = norms_of(model)
    assert norms["embedding"] == pytest.approx(reference([model.embedding.weight.grad]), rel=1e-5)
    assert norms["decoder"] == pytest.approx(reference([model.decoder.bias.grad]), rel=1e-5)


@pytest.mark.parametrize(
    ("model", "selection"), [(nn.ReLU(), {}), (Network(), {"include": "nothing.*"})]
)
def test_no_layer_is_an_error_that_says_what_was_looked_for(model, selection):
    with pytest.raises(ValueError, match=rf"{type(model).__name__} has .* include="):
        find_layers(model, **selection)


def test_an_unknown_granularity_is_an_error():
    with pytest.raises(ValueError, match="'layer' or 'parameter', got 'channel'"):
        find_layers(Network(), granularity="channel")


@pytest.mark.parametrize("norm_type", [0.0, -2.0, NAN])
def test_the_norm_type_must_be_positive(norm_type):
    with pytest.raises(ValueError, match="norm_type must be above 0"):
        LayerNorms(find_layers(Network()), norm_type=norm_type)


@pytest.mark.parametrize("norm_type", [0.5, 1, 2, 3, INF, "inf"])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_norms_equal_a_plain_reference(norm_type, scale):
    model = fill(Network(), scale)
    norms = norms_of(model, norm_type)
    for name, parameters in find_layers(model).items():
        expected = reference([p.grad for p in parameters], float(norm_type))
        assert norms[name] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("norm_type", [1, 2, INF])
def test_norms_of_large_layers_are_as_exact(norm_type):
    torch.manual_seed(0)
    gradients = [torch.rand(1_000_007), torch.rand(64, 64, 9, 9), torch.full((8192,), 0.1)]
    gradients[1] = gradients[1].to(memory_format=torch.channels_last)
    norm = norms_of(with_gradients(*gradients), norm_type)["Module"]
    assert norm == pytest.approx(reference(gradients, norm_type), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_float_type_is_computed_without_overflow_or_loss(dtype):
    for size in (8191, 8192, 8193, 100_000):
        gradient = torch.full((size,), 300.0, dtype=dtype)
        norm = norms_of(with_gradients(gradient))["Module"]
        assert norm == pytest.approx(300 * math.sqrt(size), rel=1e-5)


def test_one_layer_may_mix_types():
    gradients = [
        torch.rand(50).to(dtype) for dtype in (torch.float16, torch.float32, torch.float64)
    ]
    for norm_type in (2.0, INF):
        norm = norms_of(with_gradients(*gradients), norm_type)["Module"]
        assert norm == pytest.approx(reference(gradients, norm_type), rel=1e-5)


def sequences_of_kinds():
    """Gradients of six parameters, step by step, each unlike those of the step before."""
    torch.manual_seed(0)
    shapes = [(64, 64), (64, 64), (64,), (64,), (200, 100), (5,)]
    dense = [torch.randn(shape) for shape in shapes]
    yield dense
    yield [dense[0].to_sparse(), *dense[1:]]
    yield [None, *dense[1:]]
    yield [*dense[:2], None, *dense[3:]]
    yield [g.half() for g in dense]
    yield [dense[0].double(), dense[1].double(), *dense[2:]]
    yield [dense[0].half(), *dense[1:]]
    yield [torch.randn(32, 32), torch.randn(32, 32), *dense[2:]]
    yield [torch.randn(32, 32), *dense[1:]]
    yield [1e-30 * dense[0], 1e30 * dense[1], *dense[2:]]
    yield [torch.full((64, 64), INF), torch.full((64, 64), NAN), *dense[2:]]
    yield [torch.zeros(64, 64), torch.zeros(64, 64), *dense[2:5], torch.zeros(0)]
    yield dense


def test_kinds_of_gradients_may_change_between_steps():
    model = nn.ParameterList([nn.Parameter(torch.zeros(1)) for _ in range(6)])
    norms = LayerNorms({str(i): [p] for i, p in enumerate(model)})
    for gradients in [*sequences_of_kinds(), *sequences_of_kinds()]:
        for parameter, gradient in zip(model, gradients, strict=True):
            parameter.grad = None
            if gradient is not None:
                parameter.data = torch.zeros(gradient.shape, dtype=gradient.dtype)
                parameter.grad = gradient
        expected = [NO_GRADIENT if g is None else reference([g]) for g in gradients]
        assert norms().tolist() == pytest.approx(expected, rel=1e-5, nan_ok=True)


def test_complex_gradients_count_by_their_magnitude():
    norm = norms_of(with_gradients(torch.full((2,), 3 + 4j)))["Module"]
    assert norm == pytest.approx(5 * math.sqrt(2), rel=1e-6)


@pytest.mark.parametrize("value", [1e-30, 1e-25, 1e-15, 1e25, 1e30])
def test_what_float32_can_hold_neither_overflows_nor_vanishes(value):
    gradients = [torch.full((50_000,), value), torch.full((3,), value), torch.zeros(9000)]
    norm = norms_of(with_gradients(*gradients))["Module"]
    assert norm == pytest.approx(value * math.sqrt(50_003), rel=1e-5)


@pytest.mark.parametrize("norm_type", [1, 2, 3, INF])
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, 0.0], 0.0),
        ([1.0, INF], INF),
        ([-INF, 0.0], INF),
        ([1.0, NAN], NAN),
        ([NAN, INF], NAN),
    ],
)
def test_zero_nan_and_infinity_come_through(norm_type, values, expected):
    model = with_gradients(torch.tensor(values), torch.ones(1) * expected)
    norm = norms_of(model, norm_type)["Module"]
    assert norm == expected or (math.isnan(norm) and math.isnan(expected))


def test_a_bad_layer_does_not_spoil_the_others():
    model = fill(Network())
    expected = norms_of(model)
    model.head.weight.grad[0, 0] = NAN
    norms = norms_of(model)
    assert math.isnan(norms.pop("head"))
    del expected["head"]
    assert norms == expected


@pytest.mark.parametrize("norm_type", [2.0, INF])
def test_layers_without_gradient_are_told_from_those_at_zero(norm_type):
    model = fill(Network())
    model.features.requires_grad_(False)
    model.features[0].weight.grad = model.features[0].bias.grad = None
    model.features[1].weight.grad = None
    model.head.weight.grad.zero_()
    model.head.bias.grad.zero_()
    norms = norms_of(model, norm_type)
    assert norms["features.0"] == NO_GRADIENT
    assert norms["features.1"] > 0  # its bias still has one
    assert norms["head"] == 0


def test_without_any_gradient_the_row_is_still_there():
    assert set(norms_of(Network()).values()) == {NO_GRADIENT}


@pytest.mark.parametrize("norm_type", [1, 2, INF])
def test_sparse_gradients_count_each_entry_once(norm_type):
    embedding = nn.Embedding(1000, 4, sparse=True)
    (embedding(torch.tensor([3, 3, 7])) * torch.tensor([1.0, -2.0, 3.0, 4.0])).sum().backward()
    assert embedding.weight.grad.is_sparse
    norm = norms_of(embedding, norm_type)["Embedding"]
    assert norm == pytest.approx(reference([embedding.weight.grad], norm_type), rel=1e-5)


@pytest.mark.parametrize("norm_type", [2.0, INF])
def test_empty_tensors_count_as_zero(norm_type):
    assert norms_of(with_gradients(torch.empty(0)), norm_type)["Module"] == 0
    mixed = with_gradients(torch.empty(0, 5), torch.full((4,), 2.0))
    assert norms_of(mixed, norm_type)["Module"] == (4.0 if norm_type == 2 else 2.0)


def test_the_norms_follow_the_gradients_as_they_come_and_go():
    model = Network()
    norms = LayerNorms(find_layers(model))
    assert norms()[-1] == NO_GRADIENT
    fill(model)
    assert norms()[-1] > 0
    model.double()
    fill(model)
    expected = reference([model.head.weight.grad, model.head.bias.grad])
    assert norms()[-1].item() == pytest.approx(expected, rel=1e-5)
    model.zero_grad()
    assert norms()[-1] == NO_GRADIENT


def test_the_norms_leave_gradients_and_graph_alone():
    model = fill(Network())
    before = [p.grad.clone() for p in model.parameters()]
    norms = LayerNorms(find_layers(model))()
    assert not norms.requires_grad
    assert norms.dtype == torch.float32
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True))
