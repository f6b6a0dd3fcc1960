"""Hear a neural network train, inside TensorBoard."""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tb_sonify.probes import check_gradients
    from tb_sonify.rendering import render
    from tb_sonify.site.notebook import show
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
    "check_gradients",
    "clip_grad_norm_",
    "render",
    "show",
]

_MODULES = {
    **dict.fromkeys(("PRESETS", "Encoding", "StreamPreset", "Voice"), "sound"),
    "SonifyWriter": "training.writer",
    "check_gradients": "probes",
    "clip_grad_norm_": "training.clip_grad",
    "render": "rendering",
    "show": "site.notebook",
}


def __getattr__(name: str) -> Any:
    # Lazy, as TensorBoard's server imports this package too and must not load torch.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        value = globals()[name] = _version() if name == "__version__" else _imported(name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        hint = 'pip install "tb-sonify[torch]"'
        raise ImportError(f"tb_sonify.{name} needs PyTorch: {hint}") from error
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _imported(name: str) -> Any:
    return getattr(import_module(f"tb_sonify.{_MODULES[name]}"), name)


def _version() -> str:
    try:
        return version("tb-sonify")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0+unknown"
