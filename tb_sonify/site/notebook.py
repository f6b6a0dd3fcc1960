"""Runs in the output of a notebook's cell: the page of an export, with all in it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path

from tb_sonify.schema.quantities import GRADIENT, QUANTITIES, check_quantity
from tb_sonify.site.export import export_page
from tb_sonify.site.page import replace_file
from tb_sonify.site.requests import Wanted


@dataclass(frozen=True)
class Page:
    """A page that shows and plays runs, in a notebook's cell or as a file, without a server."""

    html: str
    title: str
    height: int  # of the cell, in CSS pixels

    def save(self, path: str | PathLike[str]) -> None:
        """Write it as an HTML file, which opens in any browser."""
        replace_file(Path(path), self.html.encode())

    def __repr__(self) -> str:
        return f"<tb_sonify page of {self.title}, {len(self.html) / 2**20:.1f} MB>"

    def _repr_html_(self) -> str:
        # A frame of its own keeps styles and keys apart; sound in it needs leave.
        return (
            f'<iframe srcdoc="{escape(self.html)}" title="{escape(f"Sonify: {self.title}")}" '
            f'allow="autoplay" style="width: 100%; height: {self.height}px; border: 0"></iframe>'
        )


def show(
    logdir: str | PathLike[str],
    *,
    run: str | Sequence[str] | None = None,
    tags: str | Sequence[str] = (),
    presets: str | Sequence[str] = (),
    quantities: str | Sequence[str] = (GRADIENT,),
    steps: tuple[int | None, int | None] = (None, None),
    max_mb: int = 20,
    height: int = 720,
) -> Page:
    """Show and play runs in a notebook: the Sonify tab, in the output of a cell.

    All of it is in the output, so that it also plays in a notebook that was saved and is opened
    elsewhere, without a server. It sounds at the first click.

    Parameters
    ----------
    run
        One run, or several; `None`: all. As with all that follow, a single one needs no list.
    tags
        Globs of the scalars to be drawn; none: all but norms of layers.
    presets
        Sounds to choose from, as ``"smooth"`` and ``"calm"``; none: the first that a run has.
    quantities
        Of layers: ``"gradient"``, ``"update"``, ``"weight"``, ``"ratio"``, or ``"all"``.
    steps
        First and last step that sound; `None`: from the start, to the end.
    max_mb
        What does not fit is left out, with a warning that lists it.
    height
        Of the cell, in CSS pixels.

    Returns
    -------
    page
        Is shown where it is the last expression of a cell; `Page.save` writes it to a file.

    Raises
    ------
    FileNotFoundError, LookupError, ValueError
        If there is no such log directory, run, tag, preset or quantity.
    """
    runs, tags, presets, quantities = (
        (each,) if isinstance(each, str) else tuple(each or ())
        for each in (run, tags, presets, quantities)
    )
    for quantity in quantities:
        check_quantity(quantity, (*QUANTITIES, "all"))
    wanted = Wanted(
        tags=tags,
        presets=presets,
        quantities=quantities,
        steps=steps,
        lessons=False,  # each cell would hold them
    )
    page, made = export_page(Path(logdir), runs=runs, wanted=wanted, most_bytes=max_mb * 2**20)
    if made.left_out:
        more = f", and {len(made.left_out) - 3} more" if len(made.left_out) > 3 else ""
        message = f"left out, with {max_mb} MB to fill: {'; '.join(made.left_out[:3])}{more}"
        warnings.warn(message, stacklevel=2)
    return Page(page.decode(), ", ".join(made.runs), height)
