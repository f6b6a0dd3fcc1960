"""The models that optimizers train, found among all objects that are alive."""

import gc
from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from tb_sonify.training.layers import numbered_names
from tb_sonify.training.optimizer_steps import parameters_of

# Names of the model in what wraps it: DDP, torch.compile, FSDP, Lightning Fabric.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_original_module"}


class LooseParameters(nn.Module):
    """Tensors of no module, numbered as the optimizer has them."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__()
        for number, tensor in enumerate(tensors):
            child = nn.Module()
            # Not registered, because these need not be parameters: any leaf can be trained.
            child._parameters["value"] = tensor  # type: ignore[assignment]
            self.add_module(f"parameter_{number}", child)


def find_models(optimizer: Optimizer, *, besides: Sequence[nn.Module] = ()) -> dict[str, nn.Module]:
    """The models that are trained, by names: those of this optimizer, and then of all others.

    A model is a module that is part of no other. Parameters of this optimizer that are in no
    module make up a model of their own.

    Parameters
    ----------
    besides
        Models that are known, and left out.
    """
    modules: list[nn.Module] = []
    optimizers: list[Optimizer] = []
    for thing in gc.get_objects():
        kind = type(thing)  # never `isinstance`, which would ask proxies for their class
        if issubclass(kind, nn.Module) and kind is not LooseParameters:
            modules += [thing] if vars(thing).get("_modules") is not None else []
        elif issubclass(kind, Optimizer):
            optimizers += [thing] if "param_groups" in vars(thing) else []
    known = {id(p) for model in besides for p in model.parameters()}
    roots = _roots(modules)
    models: list[nn.Module] = []
    for each in [optimizer, *optimizers]:
        wanted = {id(p) for p in parameters_of(each)} - known
        models += _covering([root for root in roots if root not in models], wanted)
    known |= {id(p) for model in models for p in model.parameters()}
    loose = [p for p in parameters_of(optimizer) if id(p) not in known]
    return _named([*models, *([LooseParameters(loose)] if loose else [])])


def _roots(modules: Iterable[nn.Module]) -> list[nn.Module]:
    modules = list(modules)
    children = {id(child) for module in modules for child in module._modules.values()}
    roots = [_unwrapped(module) for module in modules if id(module) not in children]
    return list({id(root): root for root in roots}.values())


def _unwrapped(module: nn.Module) -> nn.Module:
    while module._modules and set(module._modules) <= _WRAPPERS:
        *_, child = module._modules.values()
        if child is None or any(p is not None for p in module._parameters.values()):
            break
        module = child
    return module


def _covering(roots: Sequence[nn.Module], wanted: set[int]) -> Iterator[nn.Module]:
    """The models that hold all that is wanted, those first that hold the most of it.

    Where two hold the same, as a loss does that is given the model, the smaller is the model.
    """
    held = {id(root): {id(p) for p in root.parameters()} & wanted for root in roots}
    candidates = [root for root in roots if held[id(root)]]
    candidates.sort(key=lambda root: sum(1 for _ in root.modules()))
    left = set(wanted)
    while left and candidates:
        best = max(candidates, key=lambda root: len(held[id(root)] & left))
        if not held[id(best)] & left:
            return
        yield best
        left -= held[id(best)]
        candidates.remove(best)


def _named(models: Sequence[nn.Module]) -> dict[str, nn.Module]:
    found: dict[str, nn.Module] = {}
    for model in models:
        names = numbered_names(type(model).__name__)
        found[next(name for name in names if name not in found)] = model
    return found
