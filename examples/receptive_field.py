"""The effective receptive field of the demo's network, measured and heard as it changes.

    python examples/receptive_field.py [--logdir runs/receptive-field] [--steps 400] [--every 20]

Then: tb-sonify render runs/receptive-field --tag receptive_field/conv2 -o field.wav
"""

import argparse
from itertools import islice
from pathlib import Path

import torch
from torch.nn import functional

from tb_sonify import SonifyWriter
from tb_sonify.cli.demo.training import Network, digits
from tb_sonify.probes import effective_receptive_field


def main() -> None:
    """Train on scikit-learn's digits, and log the field of each convolution."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--logdir", type=Path, default=Path("runs/receptive-field"))
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--every", type=int, default=20, help="steps between two measurements")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    data, model = digits(), Network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    images, _ = next(data.batches(16, seed=1))
    with SonifyWriter(str(options.logdir)) as writer:
        writer.watch(model, optimizer)
        batches = islice(data.batches(32, seed=0), options.steps)
        for step, (pixels, labels) in enumerate(batches):
            if step % options.every == 0 or step == options.steps - 1:
                for name in ("conv1", "conv2"):
                    field = effective_receptive_field(model, name, images)
                    shown = field.map / field.map.max()
                    writer.add_scalar(f"receptive_field/{name}", field.size, step)
                    writer.add_image(f"receptive_map/{name}", shown, step, dataformats="HW")
                print(f"step {step}: conv2 {field.words()}", flush=True)
            optimizer.zero_grad()
            loss = functional.nll_loss(model(pixels), labels)
            loss.backward()
            optimizer.step()
            writer.add_scalar("loss/train", loss.item(), step)


if __name__ == "__main__":
    main()
