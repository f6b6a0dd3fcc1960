"""MNIST of the benchmarks, from files in its own format."""

import struct
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="module")
def mnist():
    from benchmarks.mnist import mnist  # needs torchvision

    return mnist


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in MNIST's file format."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_mnist(directory: Path, prefix: str, count: int) -> Path:
    raw = directory / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (count, 28, 28), np.uint8)
    (raw / f"{prefix}-images-idx3-ubyte").write_bytes(idx(pixels))
    (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(np.arange(count, dtype=np.uint8) % 10))
    return raw


def test_mnist_is_the_training_split_where_there_is_one_else_the_test_split(mnist, tmp_path):
    write_mnist(tmp_path, "t10k", 20)
    assert mnist(tmp_path).title == "20 images of MNIST's test split"
    write_mnist(tmp_path, "train", 30)
    images = mnist(tmp_path)
    assert images.title == "30 images of MNIST's training split"
    pixels, labels = next(images.batches(30, seed=0))
    assert pixels.shape == (30, 1, 28, 28)
    assert pixels.min() >= (0 - 0.1307) / 0.3081 - 1e-6
    assert pixels.max() <= (1 - 0.1307) / 0.3081 + 1e-6
    assert sorted(labels.tolist()) == sorted([*range(10)] * 3)


def test_damaged_mnist_files_are_named(mnist, tmp_path):
    raw = write_mnist(tmp_path, "t10k", 20)
    (raw / "t10k-images-idx3-ubyte").write_bytes(b"not an image")
    with pytest.raises(ValueError, match="MNIST must be readable"):
        mnist(tmp_path)
    (raw / "t10k-images-idx3-ubyte").unlink()
    (raw / "t10k-images-idx3-ubyte.gz").write_bytes(b"not packed")
    with pytest.raises(ValueError, match=r"ubyte\.gz must have the MD5 sum"):
        mnist(tmp_path)


def test_missing_mnist_files_are_named(mnist, tmp_path):
    with pytest.raises(FileNotFoundError, match="must hold t10k-images-idx3-ubyte"):
        mnist(tmp_path / "nowhere")
