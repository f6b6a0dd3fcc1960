"""One listener's way through the test: its steps in order, the answers, and what they say."""

import platform
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify import __version__
from tb_sonify.listen_test.staircase import Staircase, Threshold
from tb_sonify.listen_test.stimuli import (
    GAP_SECONDS,
    Part,
    healthy_clip,
    played_parts,
    tone,
    trial,
)
from tb_sonify.sound import VERSIONS, StreamPreset, encode_wav, preset_to_json

FORMAT = 1  # of the report

_SIDES = 4
_QUIETEST, _QUIETEST_RIGHT = 6, 5  # trials, and how many must be right
_CONTINUE, _CHOICES = ("Continue",), ("First", "Second")

LIMITS = (
    "It shows which differences you heard today, at this volume, with these headphones, while you "
    "listened for nothing else.",
    "It does not test your hearing: nothing here knows how loud the sound is at your ear.",
    "It does not show that you would notice the same unasked, while you do other work, or that you "
    "would know what it means.",
    "A few trials leave a wide interval: more (--trials 60) make it narrower, and thresholds fall "
    "with practice.",
    "It says nothing about other people: no listener study of tb_sonify has been made.",
)


@dataclass(frozen=True)
class Step:
    """What the page shows and plays at once.

    Attributes
    ----------
    kind
        ``"page"`` to be read, ``"check"`` of the headphones, ``"trial"``, or ``"result"``.
    text
        What to do, for ``"check"`` and ``"trial"`` the question.
    choices
        Labels of the answers.
    place
        Which trial of how many.
    """

    kind: str
    heading: str
    text: str
    choices: tuple[str, ...]
    place: str = ""
    part: Part | None = None


class Session:
    """State of a test; everything that is played follows from `seed` and the answers.

    Attributes
    ----------
    number
        Of the current step.
    answers
        To checks and trials, as they are reported.
    target, level
        The right choice of the current step, and the level at which it is played.
    """

    def __init__(self, preset: StreamPreset, *, seed: int, trials: int) -> None:
        self.preset, self.seed = preset, seed
        self.answers: list[dict[str, Any]] = []
        self.number = 0
        self._started, self._since = datetime.now(timezone.utc), time.monotonic()
        self._parts = played_parts(preset)
        self._steps = [*_FIRST]
        for number, part in enumerate(self._parts, start=1):
            place = f"Part {number} of {len(self._parts)}"
            example = f"{part.question} Space plays an example: only the second sound has it."
            self._steps.append(Step("page", part.title, example, _CONTINUE, place, part))
            for each in range(1, trials + 1):
                at = f"{place}, trial {each} of {trials}"
                self._steps.append(Step("trial", part.title, part.question, _CHOICES, at, part))
        self._steps.append(Step("result", "Your result", "", ()))
        self._sounds = self._prepare()

    @property
    def step(self) -> Step:
        """The current one."""
        return self._steps[self.number]

    @property
    def is_over(self) -> bool:
        """Whether all is answered."""
        return self.step.kind == "result"

    def shown(self) -> dict[str, Any]:
        """The current step for the page, which does not learn what is right."""
        step, starts, frames = self.step, [], 0
        for sound in self._sounds:
            starts.append([frames / self._rate, (frames + len(sound)) / self._rate])
            frames += len(sound) + self._gap
        shown = ("kind", "heading", "text", "choices", "place")
        return {
            "number": self.number,
            "progress": self.number / (len(self._steps) - 1),
            "sounds": starts,
            **{name: getattr(step, name) for name in shown},
            **(self.result() if self.is_over else {}),
        }

    def wav(self) -> bytes:
        """All sounds of the current step, with gaps between them, as a WAV file."""
        gap = np.zeros((self._gap, 2), np.int16)
        parts = [each for sound in self._sounds for each in (gap, sound)]
        return encode_wav(np.concatenate(parts[1:]), sample_rate=self._rate)

    def answer(self, choice: int, *, replays: int = 0) -> bool | None:
        """Take an answer to the current step and go on to the next.

        Returns
        -------
        right
            `None` where nothing was asked.

        Raises
        ------
        ValueError
            If there is no such choice.
        """
        step = self.step
        if not 0 <= choice < len(step.choices):
            raise ValueError(f"choice must be 0 to {len(step.choices) - 1}, got {choice!r}")
        right = None
        if step.kind in ("check", "trial"):
            right = choice == self.target
            self.answers.append(
                {
                    "step": self.number,
                    "part": step.part.name if step.part else step.heading,
                    "level": self.level,
                    "target": self.target,
                    "choice": choice,
                    "right": right,
                    "replays": replays,
                    "seconds": round(time.monotonic() - self._since, 2),
                }
            )
        skips = step is _HEADPHONES and choice == 1
        self.number = len(_FIRST) if skips else self.number + 1
        self._since = time.monotonic()
        self._sounds = self._prepare()
        return right

    def result(self) -> dict[str, Any]:
        """What the answers say, in words and as numbers."""
        return {
            "headphones": self._headphones(),
            "thresholds": [
                _in_words(part, _staircase(part).threshold(self._answers_of(part)))
                for part in self._parts
            ],
            "limits": LIMITS,
        }

    def report(self) -> dict[str, Any]:
        """All that is known of the test, for a JSON file."""
        return {
            "format": FORMAT,
            "versions": {
                "tb_sonify": __version__,
                "preset": VERSIONS.get(self.preset.name, 1),
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
            "preset": preset_to_json(self.preset),
            "seed": self.seed,
            "started": self._started.isoformat(timespec="seconds"),
            "ended": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "method": "psi-marginal, two intervals, 75 % right; intervals of 90 %",
            **self.result(),
            "trials": self.answers,
        }

    @property
    def _rate(self) -> int:
        return self.preset.sample_rate

    @property
    def _gap(self) -> int:
        return round(GAP_SECONDS * self._rate)

    def _prepare(self) -> list[NDArray[np.int16]]:
        """The sounds of the current step; sets its level and its right answer."""
        step, rng = self.step, np.random.default_rng([self.seed, self.number])
        self.level, self.target = 0.0, int(rng.integers(max(len(step.choices), 1)))
        if step.part is not None:
            if step.kind == "page":
                self.level, self.target = step.part.high, 1
            else:
                self.level = _staircase(step.part).next_level(self._answers_of(step.part))
            return trial(step.part, self.level, self.target, self.preset, rng)
        if step is _VOLUME:
            return [healthy_clip(self.preset, rng, seconds=4)]
        if step is _SIDE:
            sides = [0.2 * (side == self.target) for side in range(2)]
            return [tone(440, *sides, seconds=0.5, sample_rate=self._rate)]
        if step is _LOUDNESS:
            # Out of phase, a tone is cancelled in the air between loudspeakers, and seems quietest.
            gains = rng.permuted([[0.2, 0.2], [0.2, -0.2]], axis=0).tolist()
            gains.insert(self.target, [0.1, 0.1])
            return [tone(200, *each, seconds=1, sample_rate=self._rate) for each in gains]
        return []

    def _answers_of(self, part: Part) -> list[tuple[float, bool]]:
        return [
            (each["level"], each["right"]) for each in self.answers if each["part"] == part.name
        ]

    def _headphones(self) -> dict[str, Any]:
        sides, loudness = (
            [each["right"] for each in self.answers if each["part"] == step.heading]
            for step in (_SIDE, _LOUDNESS)
        )
        passed = all(sides) and sum(loudness) >= _QUIETEST_RIGHT if loudness else None
        words = {
            None: "Headphones were not checked.",
            True: "Headphones, as it seems: left is left, and the quietest tone was the quietest.",
            False: "No headphones, as it seems, or the wrong way round: left and right tell tones "
            "apart, too, so that you may hear more with them.",
        }[passed]
        counts = [{"right": sum(each), "of": len(each)} for each in (sides, loudness)]
        return {"passed": passed, "words": words, "sides": counts[0], "quietest": counts[1]}


_VOLUME = Step(
    "page",
    "Volume",
    "Put on headphones. Press Space to hear a run in which nothing is wrong, as often as you like, "
    "and set the volume of your computer so that it is comfortable, rather quiet. Leave it as it "
    "is from then on. The test takes five to six minutes.",
    _CONTINUE,
)
_HEADPHONES = Step(
    "page",
    "Headphones",
    "Ten short questions check that you wear headphones, the right way round. Skip them if you "
    "listen with loudspeakers, or with one ear.",
    ("Continue", "Skip"),
)
_SIDE = Step(
    "check", "Left or right", "On which side is the tone?", ("Left", "Right"), "Headphones"
)
# Woods, Siegel, Traer & McDermott, Attention, Perception & Psychophysics 79:2064, 2017.
_LOUDNESS = Step(
    "check",
    "The quietest",
    "Three tones: which is the quietest?",
    ("First", "Second", "Third"),
    "Headphones",
)
_FIRST = (_VOLUME, _HEADPHONES, *[_SIDE] * _SIDES, *[_LOUDNESS] * _QUIETEST)


def _staircase(part: Part) -> Staircase:
    return Staircase(part.low, part.high)


def _in_words(part: Part, threshold: Threshold) -> dict[str, Any]:
    """A threshold for people, with the numbers that it was made of."""
    words = f"You hear it from {part.words(threshold.estimate)} on"
    if threshold.low < part.low and threshold.high > part.high:
        words = "Too few answers to tell"
    elif threshold.estimate > part.high:
        words = f"You do not hear it at {part.words(part.high)}, the most that was played"
    elif threshold.estimate < part.low:
        words = f"You hear it down to {part.words(part.low)}, the least that was played"
    low, high = (min(max(each, part.low), part.high) for each in (threshold.low, threshold.high))
    least = f"{'less than ' * (threshold.low < part.low)}{low * part.scale:.2g}"
    most = f"{'more than ' * (threshold.high > part.high)}{part.words(high)}"
    between = f"from {least} to {most}"
    if low == high:
        between = f"{'more' if low == part.high else 'less'} than {part.words(low)}"
    if threshold.high < part.relevant:
        verdict = f"You hear {part.of}."
    elif threshold.low > part.relevant:
        verdict = f"You may miss {part.of}."
    else:
        verdict = f"Whether you hear {part.of} is open."
    return {
        "part": part.name,
        "title": part.title,
        "words": words,
        "between": between,
        "verdict": verdict,
        **asdict(threshold),
        "relevant": part.relevant,
        "played": [part.low, part.high],
        "ends": [f"{each * part.scale:.2g}" for each in (part.low, part.high)],
    }
