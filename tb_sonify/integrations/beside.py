"""`SonifyBeside`, the old name of `SonifyAdapter`."""

import warnings
from typing import Any

from tb_sonify.integrations import adapter


def __getattr__(name: str) -> Any:
    if name != "SonifyBeside":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = "tb_sonify.integrations.adapter.SonifyAdapter"
    warnings.warn(f"SonifyBeside is deprecated, use {new}", DeprecationWarning, stacklevel=2)
    return adapter.SonifyAdapter
