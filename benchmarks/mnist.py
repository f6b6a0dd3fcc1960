"""MNIST from local files, compressed or not; nothing is downloaded."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from torchvision import datasets
from torchvision.datasets.utils import check_integrity, extract_archive

from tb_sonify.cli.demo.training import Images

_MEAN, _DEVIATION = 0.1307, 0.3081  # of the training split, as the post of 2019 has them
_SPLITS = {"train": "training", "t10k": "test"}  # file name prefix: name of the split


def mnist(directory: Path) -> Images:
    """The training split if its files are in ``directory/MNIST/raw``, else the test split.

    Raises
    ------
    FileNotFoundError, ValueError
        If the files of neither split are there, or one is damaged.
    """
    raw = directory / "MNIST" / "raw"
    for prefix, split in _SPLITS.items():
        files = [_find(raw, name) for name, _ in _resources(prefix)]
        found = [path for path in files if path]
        if len(found) == len(files):
            data = _read(found, prefix)
            title = f"{len(data.targets):,} images of MNIST's {split} split"
            return Images(title, data.data / 255, data.targets, _MEAN, _DEVIATION)
    wanted = " and ".join(name for name, _ in _resources("t10k"))
    raise FileNotFoundError(
        f"{raw} must hold {wanted}, or the same of the training split, compressed or not"
    )


class _Split(datasets.MNIST):
    """One split of MNIST, in any folder and without the files of the other split."""

    def __init__(self, raw: str, prefix: str) -> None:
        self.raw = raw
        self.resources = _resources(prefix)
        super().__init__(raw, train=prefix == "train")

    @property
    def raw_folder(self) -> str:
        return self.raw


def _resources(prefix: str) -> list[tuple[str, str]]:
    """Name and MD5 sum of each compressed file of a split."""
    return [resource for resource in datasets.MNIST.resources if resource[0].startswith(prefix)]


def _find(raw: Path, compressed: str) -> Path | None:
    """Path of the uncompressed file, else of the compressed one, else none."""
    candidates = (raw / compressed.removesuffix(".gz"), raw / compressed)
    return next((path for path in candidates if path.is_file()), None)


def _read(files: list[Path], prefix: str) -> _Split:
    checksums = dict(_resources(prefix))
    # The directory is the user's and may be read-only: files are uncompressed elsewhere.
    with TemporaryDirectory() as folder:
        for path in files:
            if path.suffix != ".gz":
                shutil.copy(path, folder)
            elif check_integrity(path, checksums[path.name]):
                extract_archive(path, folder)
            else:
                raise ValueError(
                    f"{path} must have the MD5 sum {checksums[path.name]}: it is damaged"
                )
        try:
            return _Split(folder, prefix)
        except Exception as error:  # torchvision does not document what a damaged file raises
            names = " or ".join(str(path) for path in files)
            raise ValueError(f"MNIST must be readable, and {names} is not: {error!r}") from error
