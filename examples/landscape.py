"""The loss around a small network that was trained on MNIST: over a plane, and along its steps.

    python examples/landscape.py [--data data] [--images 10000] [--size 25] [--steps 300]

The network has two 3x3 convolutions of 32 and 64 filters, dropout, and layers of 9216-128-10. It is
trained on MNIST's training split, if --data/MNIST/raw has it, else on the test split; the loss is
that of the test split as one batch, in eval mode. 25 x 25 losses of 10,000 images take 22 minutes
of CPU, of 1,000 two. `tb-sonify demo --landscape` has five trainings on one plane.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tb_sonify import SonifyWriter
from tb_sonify.landscape import Landscape, estimate, plane, record_path, surface

CHUNK = 50  # images at a time, whose activations stay in the cache: the mean is the same


def network() -> nn.Module:
    """The network of the article."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5)),
        nn.Linear(128, 10),
    )


def split(raw: Path, name: str) -> tuple[Tensor, Tensor] | None:
    """Normalised images, ``(images, 1, 28, 28)``, and labels of a split; `None`: no such files."""
    found = []
    for kind, skip in (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8)):
        path = raw / f"{name}-{kind}"
        packed = path.with_name(f"{path.name}.gz")
        if not (path.exists() or packed.exists()):
            return None
        data = path.read_bytes() if path.exists() else gzip.decompress(packed.read_bytes())
        found.append(torch.from_numpy(np.frombuffer(data, np.uint8, offset=skip).copy()))
    pixels = (found[0].reshape(-1, 1, 28, 28) / 255 - 0.1307) / 0.3081
    return pixels, found[1].long()


def main() -> None:
    """Train, then compute the landscape along the path and around its end."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="holds MNIST/raw")
    parser.add_argument("--logdir", type=Path, default=Path("runs/landscape"))
    parser.add_argument("--images", type=int, default=10_000, help="of the loss")
    parser.add_argument("--size", type=int, default=25, help="columns and rows")
    parser.add_argument("--steps", type=int, default=300, help="of the training")
    options = parser.parse_args()
    raw = options.data / "MNIST" / "raw"
    test = split(raw, "t10k")
    if test is None:
        parser.error(f"{raw} must hold t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, or .gz")
    pixels, labels = (each[: options.images] for each in test)
    pixels = pixels.to(memory_format=torch.channels_last)  # convolutions take 2/3 of the time
    train_pixels, train_labels = split(raw, "train") or test

    def loss(model: nn.Module) -> Tensor:
        batches = zip(pixels.split(CHUNK), labels.split(CHUNK), strict=True)
        sums = [functional.cross_entropy(model(x), y, reduction="sum") for x, y in batches]
        return sum(sums) / len(labels)

    torch.manual_seed(0)
    model = network()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    probe = train_pixels[:64], train_labels[:64]
    strips = Landscape(lambda model: functional.cross_entropy(model(probe[0]), probe[1]), every=20)
    with SonifyWriter(str(options.logdir)) as writer, record_path(model, name="adam") as recorder:
        writer.watch(model, optimizer, landscape=strips)
        for step in range(options.steps):
            chosen = torch.randint(len(train_labels), (64,))
            optimizer.zero_grad()
            value = functional.cross_entropy(model(train_pixels[chosen]), train_labels[chosen])
            value.backward()
            optimizer.step()
            writer.add_scalar("loss/train", value.item(), step)
        print(f"each plane: {estimate(model, loss, size=options.size)}", flush=True)
        path = recorder.path
        planes = {"path": plane.through_path(path), "around": plane.random(0)}
        for name, chosen_plane in planes.items():
            found = surface(model, loss, plane=chosen_plane, size=options.size, paths=[path])
            writer.add_landscape(found, options.steps, name=name)
            found.write_csv(options.logdir / f"{name}.csv")
            found.write_npz(options.logdir / f"{name}.npz")
            print("\n".join([f"\n{name}:", *found.words()]), flush=True)


if __name__ == "__main__":
    main()
