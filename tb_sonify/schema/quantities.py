"""Quantities: what is measured of each layer at a step, and what is derived of it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tb_sonify.schema.block import round_norms
from tb_sonify.schema.notes import NO_GRADIENT

GRADIENT, UPDATE, WEIGHT, RATIO = "gradient", "update", "weight", "ratio"
QUANTITIES = (GRADIENT, UPDATE, WEIGHT, RATIO)
MEASURED = QUANTITIES[:3]  # and stored of each row; the ratio is derived of two of them


def check_quantity(quantity: str, known: tuple[str, ...] = QUANTITIES) -> str:
    """A quantity as it is; raises `ValueError` if it is none of those that are known."""
    if quantity not in known:
        raise ValueError(f"quantity must be one of {', '.join(known)}, got {quantity!r}")
    return quantity


def array_name(quantity: str, name: str) -> str:
    """Name of an array of a quantity in a block; those of gradients are as before version 3."""
    return name if quantity == GRADIENT else f"{quantity}/{name}"


def parts_of(quantity: str) -> tuple[str, ...]:
    """The stored quantities that a quantity of rows is made from."""
    return (UPDATE, WEIGHT) if quantity == RATIO else (quantity,)


def quantity_of(tables: Mapping[str, NDArray[np.float32]], quantity: str) -> NDArray[np.float32]:
    """The norms of a quantity, out of tables of all `parts_of` it, of any one shape."""
    if quantity == RATIO:
        return round_norms(update_ratio(tables[UPDATE], tables[WEIGHT]))
    return tables[quantity]


def update_ratio(update: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Norm of the update divided by that of the weights, elementwise.

    There is none (`NO_GRADIENT`) where either is none, and where the weights are all zero, as
    those of an adapter are at first: nothing can be said of how much they changed. It is NaN where
    either is, and where the weights are infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = np.where(np.isinf(weight), np.float32(np.nan), update / weight)
    none = (update <= NO_GRADIENT) | (weight <= 0)
    return np.where(none, np.float32(NO_GRADIENT), ratio).astype(np.float32)
