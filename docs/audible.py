"""Sphinx directives whose sounds are rendered, and whose runs are trained, while a site is built.

``lessons`` lists every sound with its meaning, ``run NAME`` plays a run of `examples/scenarios.py`
beside its picture, and ``gallery`` all of them, with what happened. Sounds are FLAC files in the
folder ``sounds`` of the site.
"""

import json
import sys
from contextlib import redirect_stdout
from functools import cache
from html import escape
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
from docutils import nodes
from docutils.parsers.rst import directives
from numpy.typing import NDArray
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from tb_sonify import render
from tb_sonify.cli.main import main as tb_sonify
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.scalars import read_series
from tb_sonify.rendering import Sound, read_logdir
from tb_sonify.sound.lessons import SAMPLE_RATE, lessons

QUIETEST, LOUDEST = -25.0, -15.0  # LUFS: beyond, a sound of the site gets a gain, and says so
STEPS = 200
TAG = "loss/train"

_directory = TemporaryDirectory(prefix="scenarios-")


@cache
def examples() -> Any:
    """The module `examples/scenarios.py`, which imports torch."""
    sys.path.append(str(Path(__file__).parent.parent / "examples"))
    return import_module("scenarios")


@cache
def trained(name: str) -> Path:
    """The log directory of a scenario, trained when it is first asked for."""
    import torch

    from tb_sonify import SonifyWriter

    module = examples()
    torch.set_num_threads(1)
    logdir = Path(_directory.name) / name
    with SonifyWriter(str(logdir)) as writer:
        module.train(module.SCENARIOS[name], writer, seed=0, steps=STEPS)
    return logdir


def with_level(sound: Sound) -> tuple[Sound, str]:
    """A sound between the quietest and the loudest of the site, and words for its gain, if any."""
    import pyloudnorm

    level = pyloudnorm.Meter(sound.sample_rate).integrated_loudness(sound.pcm / 32768)
    gain = float(np.clip(level, QUIETEST, LOUDEST) - level)
    if abs(gain) < 0.5:
        return sound, ""
    pcm = np.clip(np.rint(sound.pcm * 10 ** (gain / 20)), -32768, 32767).astype(np.int16)
    words = f"{abs(gain):.0f} dB {'louder' if gain > 0 else 'quieter'} here than in the tab"
    return Sound(pcm, sound.sample_rate, sound.legend), words


def save_picture(norms: NDArray[np.float32], broken: NDArray[np.bool_], path: Path) -> None:
    """A heat-map: a row for each layer, the first at the top; zeros pale, NaN and infinity red."""
    from matplotlib import colormaps
    from matplotlib.image import imsave

    finite = np.where(np.isfinite(norms) & (norms > 0), norms, np.nan)
    with np.errstate(invalid="ignore"):
        place = np.clip((np.log10(finite) + 4) / 6, 0, 1)  # 1e-4 to 100
    pixels = colormaps["cividis"](np.nan_to_num(place))
    pixels[np.isnan(finite)] = (0.91, 0.87, 0.85, 1.0)
    pixels[broken] = (0.76, 0.15, 0.15, 1.0)
    imsave(path, np.repeat(pixels.transpose(1, 0, 2), 4, axis=0))


def curve(values: NDArray[np.float64]) -> str:
    """The points of a polyline in a box of 200 by 60: logarithmic, without what is not finite."""
    finite = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    height = np.log(np.minimum(finite, 1e3 * np.nanmin(finite)))
    low, high = np.nanmin(height), np.nanmax(height)
    y = 56 - 52 * (height - low) / max(high - low, 1e-9)
    x = 200 * np.arange(len(values)) / len(values)
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True) if np.isfinite(b))


def picture(logdir: Path, path: Path, words: str) -> str:
    """The loss over the norms of the layers, as HTML; the heat-map is saved at `path`."""
    _, timeline = read_logdir(logdir, run=None, tag=None, as_norms=True)
    notes = timeline.heard(0, timeline.notes)
    save_picture(notes.median, (notes.nan > 0) | (notes.inf > 0), path)
    store, scope = open_logdir(logdir)
    values = read_series(store, scope, ".", TAG).values
    last = f"{values[-1]:.3g}".replace("nan", "NaN")
    return (
        f'<div class="picture"><p class="axis">loss {values[0]:.3g} → {last}</p>'
        '<svg viewBox="0 0 200 60" preserveAspectRatio="none" aria-hidden="true">'
        f'<polyline points="{curve(values)}"/></svg>'
        f'<img src="sounds/{path.name}" alt="{escape(words)}">'
        f'<p class="axis steps"><span>step 0</span><span>{len(values) - 1}</span></p>'
        '<div class="playhead" hidden></div></div>'
    )


def described(logdir: Path, *options: str) -> str:
    """What `tb-sonify describe` prints."""
    with redirect_stdout(StringIO()) as output:
        tb_sonify(["describe", str(logdir), *options])
    return output.getvalue()


class Audible(SphinxDirective):
    """A directive that writes sounds beside the pages."""

    def sounds(self) -> Path:
        """The folder of the sounds."""
        folder = Path(self.env.app.outdir) / "sounds"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def player(self, name: str, sound: Sound, words: str) -> str:
        """A native player, as HTML; the sound is saved under `name`."""
        sound, level = with_level(sound)
        sound.save(self.sounds() / f"{name}.flac")
        note = f'<p class="level">{level}</p>' if level else ""
        return (
            f'<audio controls preload="none" src="sounds/{name}.flac" '
            f'data-seconds="{sound.seconds:.2f}" aria-label="{escape(words)}"></audio>{note}'
        )

    def html(self, text: str) -> list[nodes.Node]:
        """Nodes of HTML."""
        return [nodes.raw("", text, format="html")]


class Lessons(Audible):
    """Every sound of the preset `smooth` with its meaning."""

    def run(self) -> list[nodes.Node]:
        """A list with a player at each."""
        items = [
            f'<li id="sound-{each.name}"><p>{escape(each.meaning)}</p>'
            + self.player(
                f"sound-{each.name}", Sound(each.render(), SAMPLE_RATE, each.meaning), each.meaning
            )
            + "</li>"
            for each in lessons()
        ]
        return self.html(f'<ol class="lessons">{"".join(items)}</ol>')


class Run(Audible):
    """A trained run, heard with a preset, with its picture."""

    required_arguments = 1
    option_spec: ClassVar = {
        "preset": directives.unchanged,
        "quantity": directives.unchanged,
        "tag": directives.unchanged,
        "steps": directives.positive_int,
        "bare": directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """A figure."""
        (name,) = self.arguments
        return self.html(self.figure(name, **self.options))

    def figure(
        self,
        name: str,
        *,
        preset: str = "smooth",
        quantity: Any = "gradient",
        tag: str | None = None,
        steps: int | None = None,
        **flags: None,
    ) -> str:
        """A player under a picture, or without one where `bare` is among the flags."""
        logdir = trained(name)
        last = None if steps is None else steps - 1
        how = {"preset": preset, "quantity": quantity, "tag": tag, "steps": (None, last)}
        heard = "" if preset == "smooth" else f", preset {preset}"
        heard += "" if quantity == "gradient" else f", {quantity}"
        words = f"{name}{heard}" + ("" if tag is None else f", {tag}")
        file = "-".join(filter(None, (name, preset, quantity, tag and "loss")))
        player = self.player(file, render(logdir, **how), words)
        if "bare" in flags:
            return f'<figure class="sound">{player}</figure>'
        told = json.loads(described(logdir, "--json"))["runs"][0]["landmarks"]
        seen = "; ".join(f"step {each['step']}: {each['sentence']}" for each in told)
        seen = f"The loss and the gradient norms of the layers of {name}. {seen or 'No landmarks'}."
        shown = picture(logdir, self.sounds() / f"{name}.png", seen)
        return f'<figure class="sound">{shown}{player}</figure>'


class Gallery(Run):
    """All runs: what to listen for, the sound, the picture, and what happened."""

    required_arguments = 0

    def run(self) -> list[nodes.Node]:
        """A section for each."""
        found: list[nodes.Node] = []
        for name, scenario in examples().SCENARIOS.items():
            section = nodes.section("", nodes.title("", name.replace("-", " ")), ids=[name])
            section += nodes.paragraph("", scenario.sounds)
            section += self.html(self.figure(name))
            section += self.happened(name)
            found.append(section)
        return found

    def happened(self, name: str) -> list[nodes.Node]:
        """The landmarks, and all that `tb-sonify describe` says."""
        logdir = trained(name)
        (run,) = json.loads(described(logdir, "--json"))["runs"]
        told = "".join(
            f"<li><b>Step {each['step']}</b>: {escape(each['sentence'])}</li>"
            for each in run["landmarks"]
        )
        text = escape(described(logdir).split("\n", 1)[1])
        return self.html(
            f'<ul class="landmarks">{told or "<li>No landmarks.</li>"}</ul><details><summary>'
            f"All that <code>tb-sonify describe</code> says of {escape(name)}</summary>"
            f'<pre tabindex="0" aria-label="Description of {escape(name)}">{text}</pre></details>'
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("lessons", Lessons)
    app.add_directive("run", Run)
    app.add_directive("gallery", Gallery)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
