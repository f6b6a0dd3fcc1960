"""Hypercolumns: what all layers say of a pixel, in clusters, and how far training still moves them.

    python examples/hypercolumns.py [--network vgg16 [--weights vgg16.pth]]

The agreement of the clusters with those of the checkpoint before (1: the same) is a scalar, of
which `tb-sonify render runs/hypercolumns --tag hypercolumns/agreement` makes a sound: it falls
where the layers reorganise. The clusters are images, in TensorBoard's own tab; of VGG-16, of two
photographs. After Hariharan et al., Hypercolumns for Object Segmentation, CVPR 2015.
"""

import argparse
import pickle
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import MiniBatchKMeans
from sklearn.datasets import load_sample_images
from sklearn.metrics import adjusted_rand_score
from torch import Tensor, nn
from torchvision.models import VGG16_Weights, vgg16

from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.training import Network, digits
from tb_sonify.cli.main import positive_int

CLUSTERS, IMAGES = 6, 16
VGG_LAYERS = [f"features.{number}" for number in (3, 8, 15, 22, 29)]
PALETTE = np.array([0x000000, 0xE69F00, 0x56B4E9, 0x009E73, 0xF0E442, 0xD55E00], ">u4")


@torch.no_grad()
def hypercolumns(model: nn.Module, layers: Sequence[str], images: Tensor) -> NDArray[np.float32]:
    """Outputs of layers at each pixel, ``(pixels, channels)``; blocks have a mean square of 1."""
    blocks: list[Tensor] = []
    size = images.shape[2:]

    def keep(_: nn.Module, __: object, output: Tensor) -> None:
        block = nn.functional.interpolate(output, size=size, mode="bilinear", align_corners=False)
        rms = block.square().sum(dim=1).mean().sqrt()
        blocks.append(block / rms.clamp_min(torch.finfo(block.dtype).tiny))

    with ExitStack() as hooks:
        for name in layers:
            hooks.enter_context(model.get_submodule(name).register_forward_hook(keep))
        model(images)
    return torch.cat(blocks, dim=1).movedim(1, -1).flatten(0, 2).numpy()


def clustered(columns: NDArray[np.float32], start: object = "k-means++") -> MiniBatchKMeans:
    """Clusters of hypercolumns, from a start: the centres before, so that chance moves none."""
    means = MiniBatchKMeans(CLUSTERS, init=start, n_init=1, random_state=0, batch_size=4_096)
    return means.fit(columns)


def picture(found: MiniBatchKMeans, images: Tensor) -> NDArray[np.uint8]:
    """Clusters as colours, the images side by side, shape ``(height, images * width, 3)``."""
    labels = found.labels_.reshape(-1, *images.shape[2:])
    return PALETTE.view(np.uint8).reshape(-1, 4)[np.concatenate(list(labels), axis=1), 1:]


def of_the_demo(writer: SonifyWriter, *, steps: int, every: int = 10) -> None:
    """Train the demo's network; log clusters and how well they agree with the ones before."""
    torch.manual_seed(0)
    data, model = digits(), Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    images, _ = next(data.batches(IMAGES, seed=1))
    before = None
    writer.watch(model, optimizer)
    for step, (pixels, labels) in zip(range(steps), data.batches(32, seed=0), strict=False):
        if step % every == 0:
            columns = hypercolumns(model, ["conv1", "conv2"], images)
            found = clustered(columns, before.cluster_centers_ if before else "k-means++")
            writer.add_image("hypercolumns", picture(found, images), step, dataformats="HWC")
            if before:
                agreement = adjusted_rand_score(before.labels_, found.labels_)
                writer.add_scalar("hypercolumns/agreement", agreement, step)
            before = found
        optimizer.zero_grad()
        nn.functional.nll_loss(model(pixels), labels).backward()
        optimizer.step()


def of_vgg(writer: SonifyWriter, *, weights: Path | None) -> None:
    """Log the clusters of two photographs; random weights unless there is a file of others."""
    torch.manual_seed(0)
    model = vgg16(weights=None).eval()
    if weights:
        try:
            model.load_state_dict(torch.load(weights, weights_only=True))
        except (OSError, RuntimeError, TypeError, pickle.UnpicklingError) as error:
            sys.exit(f"--weights must be a state dict of torchvision's vgg16, {weights}: {error}")
    photographs = torch.from_numpy(np.stack(load_sample_images().images)).movedim(-1, 1) / 255
    images = VGG16_Weights.IMAGENET1K_V1.transforms()(photographs)
    found = clustered(hypercolumns(model, VGG_LAYERS, images))
    tag = "hypercolumns/vgg16" if weights else "hypercolumns/vgg16-random-weights"
    writer.add_image(tag, picture(found, images), 0, dataformats="HWC")


def main() -> None:
    """Log what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--network", choices=("demo", "vgg16"), default="demo")
    parser.add_argument("--weights", type=Path, help="state dict of torchvision's vgg16")
    parser.add_argument("--logdir", type=Path, default=Path("runs/hypercolumns"))
    parser.add_argument("--steps", type=positive_int, default=200)
    options = parser.parse_args()
    with SonifyWriter(str(options.logdir)) as writer:
        if options.network == "demo":
            of_the_demo(writer, steps=options.steps)
        else:
            of_vgg(writer, weights=options.weights)


if __name__ == "__main__":
    main()
