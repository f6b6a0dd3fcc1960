"""The demo's claims about its five settings, checked on MNIST from the event files.

    python -m benchmarks.first_run --data DIR      (DIR holds MNIST/raw)

For each setting and seed: the median norm of each layer in steps 0-19 and 180-199, how far the
norms grow, how the run ends and with which earcon in its last clip, and its loss as means over
steps 0-9 and 190-199.
"""

import argparse
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile
from numpy.typing import NDArray
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

from benchmarks.mnist import mnist
from tb_sonify.cli.demo.training import SETTINGS, Setting, train
from tb_sonify.schema.metadata import ROWS_TAG, clip_tag, split_session
from tb_sonify.schema.records import Rows
from tb_sonify.sound import PRESETS, StreamPreset
from tb_sonify.sound.earcons import Earcon, earcon_waveform

STEPS = 200
LAYERS = 4
DEAD = 0.05  # a median norm that is near zero; layers that learn stay above 0.1
EXPLOSION = 10.0  # growth of every layer over its first norm; SGD at 0.01 and 0.1 stays below


def main() -> None:
    """Train every setting with every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="directory with MNIST/raw")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()

    images = mnist(options.data)
    print(images.title)
    print(f"{'setting':18} seed  median norm, steps 0-19 -> 180-199 per layer; the claim")
    held = 0
    for setting in SETTINGS:
        for seed in options.seeds:
            with TemporaryDirectory() as logdir:
                run = Path(logdir) / setting.run
                losses = train(setting, images, Path(logdir), steps=STEPS, seed=seed)
                blocks = [Rows.decode(block) for block in _logged(run, ROWS_TAG)]
                earcons = _earcons_at_the_end(run)
            norms = np.concatenate([block.norms for block in blocks])
            verdict, holds = _claim(setting, norms, losses, earcons)
            held += holds
            print(
                f"{setting.run:18} {seed:4}  {_medians(blocks[0].layers, norms)}; {verdict}",
                flush=True,
            )
    print(f"{held} of {len(SETTINGS) * len(options.seeds)} claims hold")


def _logged(run: Path, tag: str) -> list[bytes]:
    """Values of a tag in the event files of a run, in the order of steps."""
    events = [
        event
        for path in sorted(run.glob("events.out.tfevents.*"))
        for event in EventFileLoader(str(path)).Load()
    ]
    values = [value for event in events for value in event.summary.value]
    return [
        value.tensor.string_val[0]
        for value in values
        if tag in (value.tag, split_session(value.tag)[0])
    ]


def _earcons_at_the_end(run: Path) -> str:
    """Earcons of NaN and exact zero that are detected in the run's last clip, by correlation."""
    preset = PRESETS["smooth"]
    assert isinstance(preset, StreamPreset)
    hop = preset.hop(LAYERS)
    pcm, rate = soundfile.read(BytesIO(_logged(run, clip_tag("smooth"))[-1]))
    notes = pcm[: -preset.tail].sum(axis=1).reshape(-1, hop)[:, preset.tail :]
    heard = []
    for earcon in (Earcon.NAN, Earcon.ZERO):
        shape = earcon_waveform(earcon, frames=hop - preset.tail, sample_rate=rate)
        strength = np.abs(notes @ shape).max() / (shape @ shape) / preset.earcon_level
        heard += [earcon.name] if strength > 0.6 else []  # tones alone come to 0.35
    return " and ".join(heard) or "none"


def _medians(layers: tuple[str, ...], norms: NDArray[np.float32]) -> str:
    start, end = np.median(norms[:20], axis=0), np.median(norms[-20:], axis=0)
    rows = zip(layers, start, end, strict=True)
    return "  ".join(f"{layer} {first:.3g} -> {last:.3g}" for layer, first, last in rows)


def _claim(
    setting: Setting, norms: NDArray[np.float32], losses: list[float], earcons: str
) -> tuple[str, bool]:
    """Outcome of a run as text, and whether it is what the demo claims for its setting."""
    first, last = np.mean(losses[:10]), np.mean(losses[-10:])
    if setting.learning_rate == 1.0:
        ending, holds = _explosion(norms, earcons)
    elif setting.run == "sgd-0.01-batch10":
        holds = bool((np.median(norms[-20:], axis=0) > np.median(norms[:20], axis=0)).all())
        ending = "every layer rises" if holds else "NOT every layer rises"
    else:
        holds = bool(last < first / 2)
        ending = "trains" if holds else "does NOT train"
    return f"grows {_growth(norms):.3g}-fold, {ending}; loss {first:.3g} -> {last:.3g}", holds


def _growth(norms: NDArray[np.float32]) -> float:
    """Smallest ratio, over the layers, of the largest finite norm to the first norm."""
    peaks = np.where(np.isfinite(norms), norms, 0).max(axis=0)
    return float((peaks / norms[0]).min())


def _explosion(norms: NDArray[np.float32], earcons: str) -> tuple[str, bool]:
    nan = np.isnan(norms)
    if nan[-1].any():
        ending, expected = f"turns NaN at step {int(np.argmax(nan.any(axis=1)))}", "NAN"
    elif (np.median(norms[-20:], axis=0) < DEAD).any():
        zeros = int((norms[-1] == 0).sum())
        ending = f"dies ({zeros} of {norms.shape[1]} layers at exactly 0)"
        expected = "ZERO" if zeros else "none"
    else:
        return "does NOT end", False
    exploded = _growth(norms) >= EXPLOSION
    words = f"{'explodes' if exploded else 'does NOT explode'} and {ending}, earcon {earcons}"
    return words, exploded and earcons == expected


if __name__ == "__main__":
    main()
