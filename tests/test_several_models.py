"""Several models, several optimizers, and models that change while they are watched."""

import gc
from weakref import ref

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.timeline_builder import Timelines
from tests import recorded
from tests.reference import assert_norms, layer_norms, norm_of
from tests.training import backward, network, watched


class Generator(nn.Sequential):
    pass


class Critic(nn.Sequential):
    pass


def adversaries():
    torch.manual_seed(0)
    generator = Generator(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    critic = Critic(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    return generator, critic, *(torch.optim.SGD(m.parameters(), 0.1) for m in (generator, critic))


def prefixed(prefix, norms):
    return {f"{prefix}{name}": norm for name, norm in norms.items()}


def critic_step(generator, critic, optimizer):
    optimizer.zero_grad()
    (critic(generator(torch.randn(4, 3)).detach()) - critic(torch.randn(4, 2))).mean().backward()
    norms = layer_norms(critic)
    optimizer.step()
    return norms


def generator_step(generator, critic, optimizer):
    optimizer.zero_grad()
    critic(generator(torch.randn(4, 3))).mean().backward()  # the critic gets gradients, too
    norms = layer_norms(generator)
    optimizer.step()
    return norms


@pytest.mark.parametrize("every", [1, 3])
def test_two_models_of_one_writer_share_steps_and_have_names_of_their_own(writer, tmp_path, every):
    generator, critic, of_generator, of_critic = adversaries()
    writer.watch(generator, of_generator, every=every)
    writer.watch(critic, of_critic, every=every)
    expected = {}
    for step in range(150):
        norms = critic_step(generator, critic, of_critic)
        both = prefixed("Critic.", norms) | generator_step(generator, critic, of_generator)
        if step % every == 0:
            expected[step] = both
    writer.close()
    assert_norms(tmp_path, expected)
    assert {block.layers for block in recorded.rows(tmp_path)} <= {
        ("Critic.0", "Critic.2", "0", "2"),
        ("0", "2", "Critic.0", "Critic.2"),
    }


def test_a_critic_that_steps_more_often_gives_the_steps(writer, tmp_path):
    generator, critic, of_generator, of_critic = adversaries()
    writer.watch(generator, of_generator, prefix="generator")
    writer.watch(critic, of_critic, prefix="critic")
    expected = {}
    for step in range(40):
        expected[step] = prefixed("critic.", critic_step(generator, critic, of_critic))
        if step % 5 == 4:
            norms = generator_step(generator, critic, of_generator)
            expected[step] |= prefixed("generator.", norms)
    writer.close()
    assert_norms(tmp_path, expected)


def test_without_optimizers_each_is_measured_when_its_own_steps(writer, tmp_path):
    generator, critic, of_generator, of_critic = adversaries()
    writer.watch(nn.ModuleDict({"generator": generator, "critic": critic}))
    expected = {}
    for step in range(20):
        norms = prefixed("critic.", critic_step(generator, critic, of_critic))
        of_other = generator_step(generator, critic, of_generator)
        expected[step] = norms | prefixed("generator.", of_other)
    writer.close()
    assert_norms(tmp_path, expected)


def of_weights_and_biases(model):
    """Two optimizers that share the layers of a model."""
    weights = torch.optim.SGD([model[0].weight, model[2].weight], lr=0.01)
    return weights, torch.optim.Adam([model[0].bias, model[2].bias])


def test_two_optimizers_of_one_model_make_one_row(writer, tmp_path):
    model = network()
    weights, rest = of_weights_and_biases(model)
    writer.watch(model)
    expected = {}
    for step in range(30):
        expected[step] = backward(model)
        weights.step()
        rest.step()
    writer.close()
    assert_norms(tmp_path, expected)


def assert_read(directory, expected):
    """Check the only run as TensorBoard reads it: steps from 0 on, and the norms of each."""
    store, scope = open_logdir(directory)
    (run,) = store.reached(scope)
    timeline = Timelines(store).get(scope, run)
    assert timeline.steps[:-1].tolist() == list(range(len(expected)))
    found = timeline.table(0, timeline.notes).max
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_a_flush_between_two_optimizers_leaves_one_row(writer, tmp_path):
    model = network()
    weights, rest = of_weights_and_biases(model)
    writer.watch(model)
    expected = []
    for step in range(120):
        model.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        expected.append([*layer_norms(model).values()])
        weights.step()
        if step % 40 == 0:
            writer.flush()
        rest.step()
        if step == 85:
            writer.flush()
            assert_read(tmp_path, expected)
    writer.close()
    assert_read(tmp_path, expected)


def test_a_flush_between_two_parts_of_a_row_leaves_one_row(writer, tmp_path):
    expected = []
    for step in range(250):
        expected.append([step + 1.0, step + 2.0])
        writer.add_norms({"a": step + 1.0}, step)
        if step in (1, 2, 99, 100, 150, 249):
            writer.flush()
            writer.flush()
        writer.add_norms({"b": step + 2.0}, step)
        if step in (1, 120):
            writer.flush()
            assert_read(tmp_path, expected)
    writer.close()
    assert_read(tmp_path, expected)
    assert {len(recorded.scalars(tmp_path, f"grad_norm/{layer}")) for layer in "ab"} == {250}
    segments = recorded.segments(tmp_path)
    assert [segment.rows for segment in segments] == [100, 100, 50]
    assert all((np.diff(segment.steps[:-1]) > 0).all() for segment in segments)


def test_the_later_of_two_norms_of_a_step_holds(writer, tmp_path):
    for step in range(3):
        writer.add_norms({"a": 9.0, "b": 2.0}, step)
        writer.add_norms({"a": 1.0}, step)
    writer.close()
    assert_read(tmp_path, [[1.0, 2.0]] * 3)
    assert {len(block.steps) for block in recorded.rows(tmp_path)} == {3}


def test_names_are_those_of_last_time(writer):
    generator, critic, of_generator, of_critic = adversaries()
    for _ in range(2):
        first, second, third = (
            writer.watch(generator, of_generator),
            writer.watch(critic, of_critic),
            writer.watch(Critic(nn.Linear(1, 1))),
        )
        assert [each.names[0] for each in (first, second, third)] == ["0", "Critic.0", "Critic_2.0"]
        for watch in (first, second, third):
            watch.remove()


@pytest.mark.parametrize("named", [True, False])
def test_a_model_that_is_watched_again_has_each_layer_once(writer, tmp_path, named):
    """As where a cell of a notebook is run again, and its writer is of another cell."""
    _, critic, _, optimizer = adversaries()
    given = optimizer if named else None
    sums = writer.watch(critic, given, norm_type=1)
    watches = [writer.watch(critic, given) for _ in range(3)]
    assert [watch.active for watch in (sums, *watches)] == [True, False, False, True]
    for _ in range(3):
        critic(torch.randn(4, 2)).mean().backward()
        optimizer.step()
    writer.close()
    rows = recorded.all_rows(tmp_path)
    assert rows.layers == ("0", "2", "Critic.0", "Critic.2")
    assert rows.steps.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"prefix": "", "first_step": 7}, "names that no other"),
        ({"first_step": 5}, "watch, 7, got"),
    ],
)
def test_what_two_watches_cannot_both_be_is_said(writer, arguments, message):
    generator, critic, of_generator, of_critic = adversaries()
    writer.watch(generator, of_generator, first_step=7)
    with pytest.raises(ValueError, match=message):
        writer.watch(critic, of_critic, **arguments)
    assert not of_critic._optimizer_step_pre_hooks


def test_a_parameter_that_two_modules_share_counts_once(writer, tmp_path):
    model = nn.ModuleDict({"embedding": nn.Embedding(10, 4), "head": nn.Linear(4, 10)})
    model["head"].weight = model["embedding"].weight
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    writer.watch(model, optimizer)
    model["head"](model["embedding"](torch.tensor([1, 2]))).sum().backward()
    expected = {
        "embedding": norm_of([model["embedding"].weight.grad]),
        "head": norm_of([model["head"].bias.grad]),
    }
    optimizer.step()
    writer.close()
    assert_norms(tmp_path, {0: expected})


@pytest.mark.parametrize("named", [True, False])
def test_parameters_that_come_later_are_watched_from_the_next_step(writer, tmp_path, named):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer if named else None)
    expected = {}
    for step in range(6):
        if step == 3:
            model.append(nn.Linear(2, 3))
            optimizer.add_param_group({"params": model[3].parameters()})
        expected[step] = backward(model)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_model_whose_layers_are_replaced_is_watched_with_its_new_optimizer(writer, tmp_path):
    model = network()
    writer.watch(model)
    expected = {}
    for step in range(6):
        if step % 3 == 0:
            model[2] = nn.Linear(8, 2)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        expected[step] = backward(model)
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_model_that_loses_all_its_layers_ends_its_watch_with_one_warning(writer, tmp_path):
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model)
    optimizer.step()
    del model[0], model[0], model[0]
    other = torch.optim.SGD(network().parameters(), lr=0.01)
    with pytest.warns(RuntimeWarning, match=r"stops watching.*must have a layer"):
        other.step()
    other.step()
    writer.close()
    assert recorded.steps_and_norms(tmp_path)[0] == [0]


class ByParameter:
    """An optimizer for each parameter that steps in `backward`, as torchtune has it."""

    def __init__(self, model, kind):
        self.optim_map = {p: kind([p], lr=1e-3) for p in model.parameters()}
        self.squares = {}
        for p in filter(lambda p: p.requires_grad, self.optim_map):
            p.register_post_accumulate_grad_hook(self.step)

    def step(self, p):
        self.squares[p] = p.grad.double().square().sum().item()
        self.optim_map[p].step()
        self.optim_map[p].zero_grad()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("kind", "frozen"), [(torch.optim.AdamW, None), (torch.optim.SGD, "0.weight")]
)
def test_optimizers_that_step_in_backward_make_rows_of_whole_layers(
    writer, tmp_path, named, kind, frozen
):
    model = network()
    if frozen is not None:
        model.get_parameter(frozen).requires_grad_(False)
    optimizers = ByParameter(model, kind)
    writer.watch(model, optimizers if named else None)
    expected = {}
    for step in range(20):
        optimizers.squares.clear()
        model(torch.randn(3, 4)).square().sum().backward()
        expected[step] = {
            name: sum(optimizers.squares.get(p, 0) for p in layer.parameters()) ** 0.5
            for name, layer in model.named_children()
            if list(layer.parameters())
        }
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_layer_of_two_optimizers_has_the_norm_of_those_that_step(writer, tmp_path):
    model = network()
    weights, biases = of_weights_and_biases(model)
    writer.watch(model)
    expected = {}
    for step in range(30):
        model.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        both = step % 3 != 1
        expected[step] = {
            name: norm_of([p.grad for p in ([m.weight, m.bias] if both else [m.weight])])
            for name, m in (("0", model[0]), ("2", model[2]))
        }
        weights.step()
        if both:
            biases.step()
        if step == 20:
            writer.flush()
    writer.close()
    assert_norms(tmp_path, expected)


class Lookahead(torch.optim.Optimizer):
    """As timm's, which does without the constructor of its base class."""

    def __init__(self, optimizer):
        self._base_optimizer = optimizer
        self.param_groups, self.defaults = optimizer.param_groups, optimizer.defaults

    def step(self, closure=None):
        return self._base_optimizer.step(closure)

    def zero_grad(self):
        self._base_optimizer.zero_grad()


class Composite(torch.optim.Optimizer):
    """Steps an optimizer of weights and one of biases."""

    def __init__(self, parameters):
        parameters = list(parameters)
        super().__init__(parameters, {})
        self.optimizers = [
            torch.optim.SGD([p for p in parameters if p.dim() > 1], 0.01),
            torch.optim.Adam([p for p in parameters if p.dim() == 1]),
        ]

    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for each in self.optimizers:
            each.step()
        return loss


class Subclass(torch.optim.SGD):
    """Its step calls that of the base class, which calls all hooks again."""

    def step(self, closure=None):
        return super().step(closure)


class Facade:
    """No optimizer of torch: as those of Lightning, Apex or DeepSpeed."""

    def __init__(self, optimizer):
        self.optim = optimizer

    def step(self, closure=None):
        return self.optim.step(closure)

    def zero_grad(self):
        self.optim.zero_grad()


@pytest.mark.parametrize("with_closure", [True, False])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    "make",
    [
        lambda p: Lookahead(torch.optim.SGD(p, 0.01)),
        Composite,
        lambda p: Lookahead(Composite(p)),
        lambda p: Subclass(p, 0.01),
        lambda p: Facade(Lookahead(torch.optim.Adam(p))),
    ],
    ids=["lookahead", "composite", "lookahead of composite", "subclass", "facade"],
)
def test_an_optimizer_that_steps_others_makes_one_row(writer, tmp_path, make, named, with_closure):
    model = network()
    torch.optim.SGD(model.parameters(), 0.01)  # so that the base class of Subclass calls hooks
    optimizer = make(model.parameters())
    writer.watch(model, optimizer if named else None)
    expected = {}
    for step in range(10):

        def closure(step=step):
            expected[step] = backward(model)

        if with_closure:
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


class SharpnessAware(torch.optim.Optimizer):
    """SAM: climbs by a first gradient, and descends by that of where it came to."""

    def __init__(self, parameters, base):
        super().__init__(parameters, {})
        self.base_optimizer = base(self.param_groups, lr=0.01)
        self.param_groups = self.base_optimizer.param_groups

    def first_step(self):
        self._move(0.01)
        self.zero_grad()

    def second_step(self):
        self._move(-0.01)
        self.base_optimizer.step()
        self.zero_grad()

    def step(self, closure):
        self.first_step()
        closure()
        self.second_step()

    def _move(self, distance):
        with torch.no_grad():
            for p in self.param_groups[0]["params"]:
                p.add_(distance)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("in_two_steps", [True, False])
def test_sharpness_aware_minimisation_makes_rows_of_its_second_gradient(
    writer, tmp_path, named, in_two_steps
):
    model = network()
    optimizer = SharpnessAware(model.parameters(), torch.optim.SGD)
    writer.watch(model, optimizer if named else None)
    expected = {}
    for step in range(10):

        def closure(step=step):
            model(torch.randn(3, 4)).square().sum().backward()
            expected[step] = layer_norms(model)

        closure()
        if in_two_steps:
            optimizer.first_step()
            closure()
            optimizer.second_step()
        else:
            optimizer.step(closure)
    writer.close()
    assert_norms(tmp_path, expected)


class Points(nn.Module):
    """A cloud of points that grows and shrinks, as in Gaussian splatting."""

    def __init__(self):
        super().__init__()
        self.xyz = nn.Parameter(torch.ones(4, 3))
        self.opacity = nn.Parameter(torch.ones(4))

    def replace(self, optimizer, change):
        """Other parameters in the same lists, of which torch and tb_sonify are told nothing."""
        for group in optimizer.param_groups:
            (old,) = group["params"]
            optimizer.state.pop(old, None)
            group["params"][0] = nn.Parameter(change(old.detach()))
            setattr(self, group["name"], group["params"][0])


def train_points(points, optimizer, replace, *, steps=12):
    """Replace parameters before every third step; gives the true norms and the old parameters."""
    expected, replaced = {}, []
    for step in range(steps):
        if step % 3 == 2:
            replaced += [ref(p) for p in points.parameters()]
            replace()
        loss = (points.xyz * (step + 1)).sum() + points.opacity.square().sum()
        loss.backward()
        expected[step] = {"Points": norm_of([p.grad for p in points.parameters()])}
        optimizer.step()
        optimizer.zero_grad()
    return expected, replaced


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("how", ["grow", "prune", "same size", "new groups", "data"])
def test_replaced_parameters_are_followed_and_set_free(writer, tmp_path, named, how):
    points = Points()
    names = ("xyz", "opacity")
    groups = [{"params": [getattr(points, name)], "name": name} for name in names]
    optimizer = torch.optim.Adam(groups, lr=1e-3)
    writer.watch(points, optimizer if named else None)
    changes = {
        "grow": lambda old: torch.cat([old, old[:1]]),
        "prune": lambda old: old[:-1] if len(old) > 1 else old,
    }

    def replace():
        if how == "data":
            for p in points.parameters():
                p.data = p.data.clone()
            return
        points.replace(optimizer, changes.get(how, torch.clone))
        if how == "new groups":
            optimizer.param_groups = [dict(group) for group in optimizer.param_groups]

    expected, replaced = train_points(points, optimizer, replace)
    gc.collect()
    if how != "data":
        assert not any(parameter() is not None for parameter in replaced)
    writer.close()
    assert_norms(tmp_path, expected)


def test_a_gradient_that_no_optimizer_holds_any_more_is_not_logged(writer, tmp_path):
    """Assigned parameters: the model has new ones, the optimizer still steps the old."""
    model, optimizer = watched(writer)
    expected = {}
    for step in range(9):
        if step == 3:
            optimizer.zero_grad()
            state = {name: value.clone() for name, value in model.state_dict().items()}
            model.load_state_dict(state, assign=True)
        if step == 6:
            optimizer.param_groups[0]["params"] = [model[2].weight]
        model.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        held = {id(p) for p in optimizer.param_groups[0]["params"]}
        expected[step] = {
            name: norm_of([p.grad for p in layer.parameters() if id(p) in held])
            for name, layer in (("0", model[0]), ("2", model[2]))
        }
        optimizer.step()
    writer.close()
    assert_norms(tmp_path, expected)


def clipped_by_a_hook(optimizer, *_):
    """A hook of the optimizer that clips, as torch allows."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(parameters, 1e-3)


@pytest.mark.parametrize("of_all", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_a_hook_that_clips_before_the_step_is_heard(writer, tmp_path, request, named, of_all):
    model, other = network(), nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer.watch(model, optimizer if named else None)
    expected = {}
    for step in range(6):
        if step == 2:
            register = (
                register_optimizer_step_pre_hook if of_all else optimizer.register_step_pre_hook
            )
            request.addfinalizer(register(clipped_by_a_hook).remove)
            writer.watch(other, torch.optim.SGD(other.parameters(), lr=0.01))  # the last hook
        optimizer.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        if step < 2:
            expected[step] = layer_norms(model)
        optimizer.step()
        if step >= 2:
            expected[step] = layer_norms(model)
    writer.close()
    assert_norms(tmp_path, expected)
    assert len(optimizer._optimizer_step_pre_hooks) == (not of_all)


@pytest.mark.parametrize(
    "wrong", [{"every": 0}, {"updates": "nearly"}, {"prefix": "other"}, {"norm_type": -1}]
)
def test_a_watch_that_raises_leaves_the_earlier_one(writer, wrong):
    _, critic, _, optimizer = adversaries()
    watch = writer.watch(critic, optimizer)
    writer.watch(network(), prefix="other")
    with pytest.raises(ValueError, match="must"):
        writer.watch(critic, optimizer, **wrong)
    assert watch.active
