"""The handwritten digits that the networks learn."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Images:
    """Labelled images.

    Attributes
    ----------
    title
        What they are, for people.
    pixels
        In ``[0, 1]``, float32, or in ``0 .. 255``, uint8; shape ``(images, 28, 28)``.
    labels
        Class of each image, int64, shape ``(images,)``.
    mean, deviation
        Of all pixels in ``[0, 1]``.
    """

    title: str
    pixels: Tensor
    labels: Tensor
    mean: float
    deviation: float

    def batches(self, size: int, *, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Normalised images ``(size, 1, 28, 28)`` and their labels, shuffled, without end."""
        generator = torch.Generator().manual_seed(seed)
        count = len(self.labels)
        while True:
            order = torch.randperm(count, generator=generator)
            # A last batch of a few images would stand out in the gradients.
            for chosen in order[: count - count % size].split(size):
                yield self._normalised(self.pixels[chosen]), self.labels[chosen]

    def _normalised(self, pixels: Tensor) -> Tensor:
        scaled = pixels / 255 if pixels.dtype == torch.uint8 else pixels
        return ((scaled - self.mean) / self.deviation).unsqueeze(1)


def digits() -> Images:
    """The 1,797 digits that come with scikit-learn, scaled from 8x8 to 28x28 pixels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    small = torch.from_numpy(data.images).float().unsqueeze(1) / 16
    pixels = functional.interpolate(small, size=(28, 28), mode="bilinear").squeeze(1)
    labels = torch.from_numpy(data.target).long()
    title = f"{len(labels):,} handwritten digits from scikit-learn"
    return Images(title, pixels, labels, float(pixels.mean()), float(pixels.std()))
