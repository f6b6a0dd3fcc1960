"""Routes of sound, and of the notes it is made from: coverage, notes, clips, files, legends."""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
from tensorboard.backend.http_util import Respond
from tensorboard.errors import NotFoundError
from werkzeug.wrappers import Request, Response

from tb_sonify.plugin import arguments
from tb_sonify.plugin.arguments import (
    PlaybackOptions,
    playback_options,
    preset_of,
    scale_of,
    selection_of,
)
from tb_sonify.plugin.responses import (
    Handler,
    attachment,
    block_response,
    encode_flac,
    http_errors,
    layer_header,
    scope_of,
    stream_response,
)
from tb_sonify.reading import limits
from tb_sonify.reading.audio import Clip, Clips, heard_columns
from tb_sonify.reading.cache import digest
from tb_sonify.reading.selection import Selection, Selections
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline, presets_of
from tb_sonify.schema.quantities import GRADIENT
from tb_sonify.schema.segments import NOTES_PER_SEGMENT
from tb_sonify.sound import (
    EARCON_NAMES,
    PAIR,
    PAIR_NAMES,
    PRESETS,
    STREAM_NAMES,
    Preset,
    Scale,
    StreamPreset,
    bands,
    encode_wav,
    epoch_ticks,
    legend,
    render,
    stream_layers,
)
from tb_sonify.sound.lessons import SAMPLE_RATE, lessons

SOUND_FORMATS = ("wav", "flac")


class AudioRoutes:
    """Handlers of requests for notes and for sound."""

    def __init__(self, store: Store, selections: Selections) -> None:
        self._selections = selections
        self._points_kept = store.settings.points_kept
        self._work = store.work
        self._clips = Clips(store)

    def handlers(self) -> Mapping[str, Handler]:
        """Each handler under its route."""
        return {
            "/coverage": self._coverage,
            "/notes": self._notes,
            "/clip": self._clip,
            "/sound": self._sound,
            "/heard": self._heard,
            "/legend": self._legend,
            "/lessons": self._lessons,
            "/lesson": self._lesson,
        }

    def _coverage(self, request: Request) -> Response:
        selection, options = selection_of(request), playback_options(request)
        source = self._source(scope_of(request), selection)
        known = _known_segments(source, request.args.get("known", ""))
        first_note = source.first_notes[known]
        header = {
            **layer_header(
                selection.run,
                source.layers,
                STREAM_NAMES if selection.beside is None else PAIR_NAMES,
            ),
            "first_note": first_note,
            "key": _key(source, bisect_right(source.first_notes, source.final_notes) - 1),
            "quantity": source.quantity if selection.tag is None else None,
            "at_440_hz": source.unit if selection.tag is None else None,
            "tag": selection.tag,
            "scale": _scale_header(source.scale),
            "notes": source.notes,
            "notes_per_segment": NOTES_PER_SEGMENT,
            "rows_per_note": source.rows_per_note,
            "segments": _segment_headers(source)[known:],
            "presets": [
                _preset_header(preset, len(source.layers), options)
                for preset in presets_of(source).values()
            ],
            "missing": source.missing,
            "sampled": source.sampled,
            "points_kept": self._points_kept or None,
            "formats": SOUND_FORMATS,
        }
        steps = source.steps[first_note:].astype(np.float64)
        return block_response(request, header, steps=steps, times=source.times[first_note:])

    def _notes(self, request: Request) -> Response:
        selection = selection_of(request)
        first_note, notes = arguments.note_range(request, most_notes=limits.MAX_TABLE_NOTES)
        source = self._source(scope_of(request), selection)
        _check_note(source, selection.run, first_note)
        fit = max(limits.MAX_TABLE_VALUES // max(len(source.layers), 1), 1)
        notes = min(notes, source.notes - first_note, fit)
        header = {"run": selection.run, "layers": source.layers, "first_note": first_note}
        steps = source.steps[first_note : first_note + notes + 1].astype(np.float64)
        return block_response(request, header, steps=steps, **vars(source.table(first_note, notes)))

    def _clip(self, request: Request) -> Response:
        _, clip = self._named_clip(request)
        headers = [("X-Sonify-Notes", str(clip.notes)), ("X-Sonify-Source", clip.source)]
        return stream_response(clip.wav(), "audio/wav", headers, nbytes=clip.nbytes)

    def _sound(self, request: Request) -> Response:
        kind = arguments.choice(request, "format", SOUND_FORMATS)
        name, clip = self._named_clip(request)
        headers = [attachment(name, kind)]
        if kind == "flac":
            return Respond(request, encode_flac(clip), "audio/flac", headers=headers)
        return stream_response(clip.wav(), "audio/wav", headers, nbytes=clip.nbytes)

    def _heard(self, request: Request) -> Response:
        selection, options = selection_of(request), playback_options(request)
        first_note, notes = arguments.note_range(request, most_notes=limits.MAX_COUNT)
        columns = arguments.integer(request, "columns", low=1, high=limits.MAX_HEARD_COLUMNS)
        source = self._source(scope_of(request), selection)
        preset = options.adjust(preset_of(request, source))
        _check_note(source, selection.run, first_note)
        notes = min(notes, source.notes - first_note)
        per_column, stop = -(-notes // columns), first_note + notes
        ticks = np.zeros(notes, np.uint16)
        with self._work.slot(notes * len(source.layers)):
            found = heard_columns(
                source, first_note, notes, preset=preset, notes_per_column=per_column
            )
            if options.epoch is not None:
                ticks[:] = epoch_ticks(np.ceil(source.steps), options.epoch)[first_note:stop]
        names = STREAM_NAMES if selection.beside is None else PAIR_NAMES
        header = {
            "run": selection.run,
            "preset": preset.name,
            "first_note": first_note,
            "notes": notes,
            "notes_per_column": per_column,
            "streams": _heard_streams(preset, source.layers, names),
            "slope": preset.encoding.slope if isinstance(preset, StreamPreset) else None,
            "earcons": EARCON_NAMES,
        }
        summed = np.maximum.reduceat(ticks, np.arange(0, notes, per_column))
        return block_response(request, header, **vars(found), ticks=summed)

    def _legend(self, request: Request) -> Response:
        scale, options = scale_of(request), playback_options(request)
        quantity = arguments.quantity_of(request)
        name, preset, layers = arguments.text(request, "preset"), None, limits.MAX_LAYERS
        if "run" in request.args:
            source = self._source(scope_of(request), selection_of(request))
            scale, preset = source.scale, presets_of(source).get(name)
            layers = len(source.layers)
        else:
            preset = PRESETS.get(name)
        if preset is None:
            raise NotFoundError(f"no preset {name!r}")
        preset = options.adjust(preset)
        with http_errors():
            played = legend(preset, scale, quantity, layers)
        wav = encode_wav(render(played.notes, preset=played.preset), sample_rate=preset.sample_rate)
        headers = [("X-Sonify-Legend", quote(played.words))]
        return Respond(request, wav, "audio/wav", headers=headers)

    def _lessons(self, request: Request) -> Response:
        known = [{"name": each.name, "meaning": each.meaning} for each in lessons()]
        return Respond(request, {"lessons": known}, "application/json")

    def _lesson(self, request: Request) -> Response:
        name = arguments.text(request, "name")
        lesson = next((each for each in lessons() if each.name == name), None)
        if lesson is None:
            raise NotFoundError(f"no lesson {name!r}")
        wav = encode_wav(lesson.render(), sample_rate=SAMPLE_RATE)
        return Respond(request, wav, "audio/wav")

    def _named_clip(self, request: Request) -> tuple[str, Clip]:
        """The clip of a request, and a name for its file."""
        scope, selection = scope_of(request), selection_of(request)
        options = playback_options(request)
        first_note, notes = arguments.note_range(request, most_notes=limits.MAX_CLIP_NOTES)
        source = self._source(scope, selection)
        preset = options.adjust(preset_of(request, source))
        _check_note(source, selection.run, first_note)
        clip = self._clips.clip(
            scope,
            selection.run,
            source,
            preset=preset,
            first_note=first_note,
            notes=notes,
            epoch=options.epoch,
        )
        first, last = (int(source.steps[first_note + note]) for note in (0, clip.notes))
        quantity = "" if source.quantity == GRADIENT else f"-{source.quantity}"
        return f"{selection.run}{quantity}-{first}-{last}", clip

    def _source(self, scope: Scope, selection: Selection) -> Timeline:
        with http_errors():
            return self._selections.get(scope, selection)


def _heard_streams(
    preset: Preset, layers: tuple[str, ...], names: tuple[str, ...]
) -> list[dict[str, Any]]:
    """Layers, pan and band of each stream; a name where they are grouped as elsewhere."""
    places = bands(preset, len(layers))
    groups = stream_layers(len(layers), streams=max(len(places), 1))
    named = isinstance(preset, StreamPreset) and preset.streams == len(names)
    return [
        {
            "name": names[number] if named else None,
            "layers": [layers[index] for index in group],
            **band._asdict(),
        }
        for number, (group, band) in enumerate(zip(groups, places, strict=True))
    ]


def _segment_headers(source: Timeline) -> list[dict[str, Any]]:
    edges = zip(source.first_notes[:-1], source.first_notes[1:], strict=True)
    return [
        {
            "first_note": first_note,
            "notes": end - first_note,
            "state": "logged" if end <= source.final_notes else "open",
            "digest": history.hex(),
        }
        for (first_note, end), history in zip(edges, source.prefix_digests[1:], strict=True)
    ]


def _key(source: Timeline, segments: int) -> str:
    """Key of the first `segments` segments, by which a client names what it has already."""
    notes = source.first_notes[segments]
    return f"{notes}-{digest(source.prefix_digests[segments], source.steps[:notes]).hex()}"


def _known_segments(source: Timeline, key: str) -> int:
    """How many segments a key from a client is of; 0: it is not one of these notes."""
    notes = key.partition("-")[0]
    if not notes.isascii() or not notes.isdigit() or len(notes) > limits.MAX_KEY_DIGITS:
        return 0
    segments = bisect_right(source.first_notes, int(notes)) - 1
    return segments if key == _key(source, segments) else 0


def _preset_header(preset: Preset, layers: int, options: PlaybackOptions) -> dict[str, Any]:
    # A preset that is not adjustable keeps its own speed.
    preset = options.adjust(preset) if preset.adjustable else preset
    return {
        "name": preset.name,
        "title": preset.title,
        "sample_rate": preset.sample_rate,
        "hop": preset.hop(layers),
        "note_frames": preset.event_frames(layers),
        "tail": preset.tail,
        "channels": preset.channels,
        "streams": preset.streams_for(layers),
        "speed": preset.adjustable,
        "zoom": preset.adjustable,
        "custom": preset.name not in {PAIR.name, *PRESETS},
    }


def _scale_header(scale: Scale | None) -> dict[str, Any] | None:
    return None if scale is None else {"kind": scale.kind, "low": scale.low, "high": scale.high}


def _check_note(source: Timeline, run: str, note: int) -> None:
    if note >= source.notes:
        raise NotFoundError(f"no note {note} in run {run!r}, which has {source.notes}")
