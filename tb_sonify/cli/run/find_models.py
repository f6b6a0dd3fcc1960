"""The models that optimizers train, found among all objects that are alive."""

import gc
from collections.abc import Iterable, Iterator, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from tb_sonify.training.layers import numbered_names
from tb_sonify.training.optimizer_steps import parameters_of
from tb_sonify.training.warn import WarnOnce

# Names of the model in what wraps it: DDP, torch.compile, FSDP, Lightning Fabric.
_WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_original_module"}

_warn = WarnOnce()


class LooseParameters(nn.Module):
    """Tensors of no module, numbered as the optimizer has them."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        super().__init__()
        self.follow(tensors)

    def follow(self, tensors: Sequence[Tensor]) -> None:
        """Be made up of these tensors, in place of those before them."""
        self._modules.clear()
        for number, tensor in enumerate(tensors):
            child = nn.Module()
            # Not registered, because these need not be parameters: any leaf can be trained.
            child._parameters["value"] = tensor  # type: ignore[assignment]
            self.add_module(f"parameter_{number}", child)


def find_models(
    optimizer: Optimizer, *, besides: Sequence[nn.Module] = ()
) -> tuple[list[nn.Module], dict[Optimizer, LooseParameters]]:
    """The models that are trained: those of this optimizer, and then of all others.

    A model is a module that is part of no other. A module whose attributes cannot be read is left
    out, with a warning.

    Parameters
    ----------
    besides
        Models that are known, and left out.

    Returns
    -------
    models
        Those that hold what the optimizers hold.
    loose
        For each optimizer that has parameters of no module, a model of these.
    """
    modules, optimizers = _alive()
    optimizers = [optimizer, *(each for each in optimizers if each is not optimizer)]
    known = parameter_ids(besides)
    roots = _roots(modules)
    held = {id(root): parameter_ids([root]) for root in roots}
    models: list[nn.Module] = []
    for each in optimizers:
        wanted = {id(p) for p in parameters_of(each)} - known
        found = list(_covering(roots, held, wanted))
        models += found
        known = known.union(*(held[id(model)] for model in found))
    loose: dict[Optimizer, LooseParameters] = {}
    for each in optimizers:
        tensors = [p for p in parameters_of(each) if id(p) not in known]
        if tensors:
            loose[each] = LooseParameters(tensors)
            known |= {id(p) for p in tensors}
    return models, loose


def parameter_ids(models: Iterable[nn.Module]) -> set[int]:
    """What identifies the parameters of models."""
    return {id(p) for model in models for p in model.parameters()}


def with_names(models: Iterable[nn.Module]) -> dict[str, nn.Module]:
    """Models by the names of their classes, with a number where that of another is the same."""
    found: dict[str, nn.Module] = {}
    for model in models:
        names = numbered_names(type(model).__name__)
        found[next(name for name in names if name not in found)] = model
    return found


def _alive() -> tuple[list[nn.Module], list[Optimizer]]:
    frozen = gc.get_freeze_count() > 0
    if frozen:
        gc.unfreeze()  # else what the script froze is not among all objects
    try:
        everything = gc.get_objects()
    finally:
        if frozen:
            gc.freeze()
    modules: list[nn.Module] = []
    optimizers: list[Optimizer] = []
    kinds: dict[type, int] = {}
    for thing in everything:
        kind = type(thing)  # never `isinstance`, which would ask proxies for their class
        what = kinds.get(kind)
        if what is None:
            is_module = issubclass(kind, nn.Module) and kind is not LooseParameters
            what = kinds[kind] = 1 if is_module else 2 if issubclass(kind, Optimizer) else 0
        if what == 1 and _is_readable(thing):
            modules.append(thing)
        elif what == 2 and "param_groups" in vars(thing):
            optimizers.append(thing)
    return modules, optimizers


def _is_readable(module: nn.Module) -> bool:
    """Whether a module is complete, and gives what it consists of."""
    try:
        if vars(module).get("_modules") is None or vars(module).get("_parameters") is None:
            return False
        list(module._modules.values())
        list(module.parameters(recurse=False))
    except Exception as error:  # noqa: BLE001 - its class is the script's
        _warn(
            f"modules of type {type(module).__name__} are left out, which cannot be read: "
            f"{type(error).__name__}: {error}",
            key=type(module).__name__,
        )
        return False
    return True


def _roots(modules: Sequence[nn.Module]) -> list[nn.Module]:
    children = {id(child) for module in modules for child in module._modules.values()}
    roots = [_unwrapped(module) for module in modules if id(module) not in children]
    return list({id(root): root for root in roots if _is_whole(root)}.values())


def _is_whole(root: nn.Module) -> bool:
    return all(_is_readable(module) for module in root.modules())


def _unwrapped(module: nn.Module) -> nn.Module:
    while module._modules and set(module._modules.keys()) <= _WRAPPERS:
        *_, child = module._modules.values()
        if child is None or any(p is not None for p in module._parameters.values()):
            break
        module = child
    return module


def _covering(
    roots: Sequence[nn.Module], held: dict[int, set[int]], wanted: set[int]
) -> Iterator[nn.Module]:
    """The models that hold all that is wanted, those first that hold the most of it.

    Where two hold the same, as a loss does that is given the model, the smaller is the model.

    Parameters
    ----------
    held
        The parameters of each root.
    """
    candidates = [root for root in roots if not held[id(root)].isdisjoint(wanted)]
    candidates.sort(key=lambda root: sum(1 for _ in root.modules()))
    left = set(wanted)
    while left and candidates:
        best = max(candidates, key=lambda root: len(held[id(root)] & left))
        if held[id(best)].isdisjoint(left):
            return
        yield best
        left -= held[id(best)]
