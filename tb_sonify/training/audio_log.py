"""Clips for the Audio tab, rendered while no row waits."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tensorboard.compat.proto.event_pb2 import Event

from tb_sonify.schema.metadata import clip_tag
from tb_sonify.schema.records import Segment
from tb_sonify.sound import Preset, SynthState, advance_state, render
from tb_sonify.training.summary import audio_event, is_kept
from tb_sonify.training.warn import WarnOnce

_SHOWN = 10  # of a tag, by TensorBoard's Audio tab; the Sonify tab renders those that it misses
_MAX_CLIPS = 64
_MAX_BYTES = 64 * 2**20


@dataclass(frozen=True)
class _Clip:
    """A clip to render: what it holds, and what comes before it."""

    segment: Segment
    preset: Preset
    state: SynthState | None


class AudioLog:
    """Renders segments in turn, ever fewer of them as a run grows, and the last one.

    The oldest are left out where rendering falls behind.

    Parameters
    ----------
    emit
        Takes each clip as an audio event.
    """

    def __init__(self, presets: Sequence[Preset], emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._states: dict[str, SynthState | None] = {preset.name: None for preset in presets}
        self._presets = presets
        self._waiting: deque[_Clip] = deque()
        self._unlogged: list[_Clip] = []  # of the newest segment
        self._warn = WarnOnce()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, segment: Segment) -> None:
        """Take a segment; where it is one of those that get clips, line up one for each preset."""
        self._unlogged = []
        for preset in self._presets:
            state = self._states[preset.name]
            self._unlogged.append(_Clip(segment, preset, state))
            try:
                self._states[preset.name] = advance_state(segment.notes, preset=preset, state=state)
            except Exception as error:  # noqa: BLE001 - rows matter more
                self._failed(error)
        if is_kept(segment.segment, _SHOWN):
            self._line_up(segment)

    def finish(self) -> None:
        """Line up the clips of the last segment, which tells how the run ended."""
        if self._unlogged:
            self._line_up(self._unlogged[0].segment)

    def _line_up(self, segment: Segment) -> None:
        self._waiting.extend(self._unlogged)
        self._unlogged = []
        while len(self._waiting) > max(
            1, min(_MAX_CLIPS, _MAX_BYTES // max(segment.notes.nbytes, 1))
        ):
            self._waiting.popleft()
            self._warn(
                "rendering falls behind training: some clips are left out of the event file "
                "(the Sonify tab renders them when they are played)",
                key="late",
            )

    def render_next(self) -> None:
        """Render the clip that has waited longest and emit it."""
        clip = self._waiting.popleft()
        notes, preset = clip.segment.notes, clip.preset
        try:
            pcm = render(notes, preset=preset, state=clip.state)
        except Exception as error:  # noqa: BLE001 - rows matter more
            self._failed(error)
            return
        self._emit(
            audio_event(
                clip_tag(preset.name),
                pcm,
                sample_rate=preset.sample_rate,
                step=int(clip.segment.steps[0]),
                wall_time=clip.segment.wall_time,
            )
        )

    def _failed(self, error: Exception) -> None:
        self._warn(
            f"a clip cannot be rendered, the norms are kept: {type(error).__name__}: {error}"
        )
