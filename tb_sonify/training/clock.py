"""Which step it is, in a training that may have several optimizers and models."""

from typing import Any
from weakref import WeakKeyDictionary, ref

from torch import Tensor
from torch.optim import Optimizer

from tb_sonify.training.optimizers import groups_of, parameters_of


class Clock:
    """Counts the steps of a training.

    Optimizers that hold different parameters step together: a step ends when one of them steps
    again, or another one that holds some of the same parameters. So a generator and its critic
    share steps, and so do two optimizers of one model; where a critic steps five times for each
    step of the generator, the steps are the critic's.
    """

    def __init__(self, first_step: int) -> None:
        self.first_step = self.step = first_step
        self._stepped: list[tuple[ref[object], ref[Optimizer]]] = []  # in this step, seen by whom
        self._parameters: WeakKeyDictionary[Optimizer, tuple[Any, frozenset[Tensor]]]
        self._parameters = WeakKeyDictionary()

    def tick(self, watch: object, optimizer: Optimizer) -> int:
        """The step to which an optimizer's step belongs, which `watch` sees."""
        if any(self._ends(watch, optimizer, *stepped) for stepped in self._stepped):
            self.step += 1
            self._stepped.clear()
        self._stepped.append((ref(watch), ref(optimizer)))
        return self.step

    def _ends(
        self, watch: object, optimizer: Optimizer, by: "ref[object]", other: "ref[Optimizer]"
    ) -> bool:
        stepped = other()
        if stepped is None or stepped is optimizer:
            return by() is watch
        return not self._held(stepped).isdisjoint(self._held(optimizer))

    def _held(self, optimizer: Optimizer) -> frozenset[Tensor]:
        groups = groups_of(optimizer)
        known = self._parameters.get(optimizer)
        if known is None or known[0] != groups:
            known = self._parameters[optimizer] = (groups, parameters_of(optimizer))
        return known[1]
