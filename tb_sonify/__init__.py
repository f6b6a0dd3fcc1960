"""Hear a neural network train, inside TensorBoard."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb_sonify.rendering import render
    from tb_sonify.sound import PRESETS, Encoding, StreamPreset, Voice
    from tb_sonify.training.clip_grad import clip_grad_norm_
    from tb_sonify.training.writer import SonifyWriter

    __version__: str

__all__ = [
    "PRESETS",
    "Encoding",
    "SonifyWriter",
    "StreamPreset",
    "Voice",
    "__version__",
    "clip_grad_norm_",
    "render",
]


def __getattr__(name: str) -> Any:
    # TensorBoard's server imports this package too, and must not wait for torch.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = _NAMES[name]()
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _version() -> str:
    try:
        return version("tb-sonify")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"


def _training(name: str, module: str) -> Any:
    try:
        return getattr(import_module(f"tb_sonify.training.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        hint = 'pip install "tb-sonify[torch]"'
        raise ImportError(f"tb_sonify.{name} needs PyTorch: {hint}") from error


def _render() -> Any:
    from tb_sonify.rendering import render

    return render


def _sound(name: str) -> Any:
    from tb_sonify import sound

    return getattr(sound, name)


_NAMES: Mapping[str, Callable[[], Any]] = {
    "SonifyWriter": partial(_training, "SonifyWriter", "writer"),
    "__version__": _version,
    "clip_grad_norm_": partial(_training, "clip_grad_norm_", "clip_grad"),
    "render": _render,
    **{name: partial(_sound, name) for name in ("PRESETS", "Encoding", "StreamPreset", "Voice")},
}
