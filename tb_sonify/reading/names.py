"""The layers of a run: how many different ones all its blocks may name."""

MOST_LAYERS = 10_000


class Names:
    """Different layers, of which there is room for so many."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._last: tuple[str, ...] = ()

    def take(self, layers: tuple[str, ...]) -> bool:
        """Whether there is room for those of a block; if so, they are among those of the run."""
        if layers == self._last:  # as a rule
            return True
        new = [name for name in layers if name not in self._known]
        if len(self._known) + len(new) > MOST_LAYERS:
            return False
        self._known.update(new)
        self._last = layers
        return True
