"""The five settings of the 2019 post, from a healthy warm-up to an explosion."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """How one network is trained.

    Attributes
    ----------
    run
        Name of its run directory.
    optimizer
        ``"sgd"`` (with momentum 0.5) or ``"adam"``.
    """

    run: str
    optimizer: str
    learning_rate: float
    batch_size: int


SETTINGS = (
    Setting("sgd-0.01-batch10", "sgd", 0.01, 10),
    Setting("sgd-0.1-batch10", "sgd", 0.1, 10),
    Setting("sgd-1.0-batch10", "sgd", 1.0, 10),
    Setting("sgd-1.0-batch256", "sgd", 1.0, 256),
    Setting("adam-0.01-batch10", "adam", 0.01, 10),
)
