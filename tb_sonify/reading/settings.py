"""What TensorBoard was started with, as far as reading depends on it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Which scalars are norms, and how many of their points there are.

    Attributes
    ----------
    norm_globs
        The user's own, in addition to those of `norm_tags`.
    points_kept
        How many points TensorBoard keeps of each scalar; 0: all.
    """

    norm_globs: tuple[str, ...] = ()
    points_kept: int = 1_000


DEFAULTS = Settings()
