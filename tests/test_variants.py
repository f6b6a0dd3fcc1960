"""Presets as listeners want them: at other speeds, with guides, with streams muted."""

import json
import math
import re
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import (
    EARLIER_PRESETS,
    PRESETS,
    REFERENCE_LEVEL,
    Encoding,
    Scale,
    adjust,
    advance_state,
    describe_pitch,
    legend,
    preset_from_json,
    preset_to_json,
    render,
)

SMOOTH, SINGLE = PRESETS["smooth"], PRESETS["single"]
RATE, TAIL = SMOOTH.sample_rate, SMOOTH.tail
SPEEDS = (4.0, 10.0, 25.0, 32.0)


def notes_of(norms):
    return aggregate(np.asarray(norms, np.float32), rows_per_note=1)


def restless(notes=60, layers=6, seed=0):
    """Norms with growth, jumps, a NaN, zeros and an infinity: everything that sounds."""
    random = np.random.default_rng(seed)
    norms = np.exp2(np.cumsum(random.normal(0.2, 2, (notes, layers)), axis=0)).clip(1e-8, 1e8)
    norms[20, 1], norms[30:40, 3], norms[45, 5] = np.nan, 0.0, np.inf
    return norms


def pitch_of(mono):
    """Frequency of the strongest partial of a steady sound, in Hz."""
    windowed = mono * np.hanning(len(mono))
    spectrum = np.abs(np.fft.rfft(windowed, 1 << 20))
    return spectrum.argmax() * RATE / (1 << 20)


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_norm_sounds_the_same_at_every_speed(speed):
    preset = adjust(SINGLE, speed=speed)
    clip = render(notes_of(np.full((120, 1), 0.3)), preset=preset)[: 2 * RATE]
    cents = 1200 * np.log2(pitch_of(clip[TAIL:, 0] / 32767) / (440 * 0.3 ** (1 / 12)))
    assert abs(cents) < 1
    assert len(render(notes_of(np.ones((10, 1))), preset=preset)) == 10 * preset.hop(1) + TAIL
    assert preset.hop(1) == round(RATE / speed)


@pytest.mark.parametrize("speed", SPEEDS)
@pytest.mark.parametrize("name", ["smooth", "calm", "arpeggio"])
def test_clips_join_at_every_speed_with_all_guides(speed, name):
    preset = adjust(PRESETS[name], speed=speed, reference=True)
    norms = restless()
    hop, ticks = preset.hop(norms.shape[1]), np.arange(60) % 7 == 0
    whole = render(notes_of(norms), preset=preset, ticks=ticks).astype(int)
    joined = np.zeros_like(whole)
    for first, end in ((0, 13), (13, 37), (37, 60)):
        state = advance_state(notes_of(norms[:first]), preset=preset) if first else None
        part = render(
            notes_of(norms[first:end]), preset=preset, state=state, ticks=ticks[first:end]
        )
        joined[first * hop : end * hop + TAIL] += part
    most = 2 if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else 3
    assert np.abs(joined - whole).max() <= most


@pytest.mark.parametrize("speed", [0, 3.9, 33, np.nan])
def test_a_speed_that_cannot_be_followed_is_refused(speed):
    with pytest.raises(ValueError, match="notes per second must be 4 to 32"):
        adjust(SMOOTH, speed=speed)


def test_streams_that_are_muted_leave_the_others_as_they_are():
    notes = notes_of(restless() ** 0.5)
    quiet = replace(SMOOTH, level=SMOOTH.level / 4, earcon_level=SMOOTH.earcon_level / 4)
    alone = [
        render(notes, preset=replace(quiet, muted=tuple({0, 1, 2} - {stream}))).astype(int)
        for stream in range(3)
    ]
    assert all(np.abs(each).max() > 100 for each in alone)
    assert np.abs(sum(alone) - render(notes, preset=quiet)).max() <= 2


@pytest.mark.parametrize("name", ["smooth", "arpeggio"])
def test_all_streams_muted_are_silent(name):
    preset = adjust(PRESETS[name], muted=tuple(range(PRESETS[name].streams)))
    assert not render(notes_of(restless()), preset=preset).any()


@pytest.mark.parametrize("encoding", [Encoding(), Encoding(2, 0.01), Encoding(4, 0.5, "down")])
@pytest.mark.parametrize(("layers", "registers"), [(1, [1]), (2, [0.5, 2]), (5, [0.5, 1, 2])])
def test_the_reference_tones_are_at_norm_1_of_each_register_and_quiet(encoding, layers, registers):
    marked = adjust(SMOOTH, reference=True, encoding=encoding)
    silence = notes_of(np.full((60, layers), -1.0))
    plain = render(silence, preset=replace(marked, reference=0.0)).astype(float) / 32767
    tone = render(silence, preset=marked)[:, 0] / 32767 - plain[:, 0]
    # Two seconds are whole numbers of half hertz: a bin each.
    level = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 1 << 20)) / (len(tone) / 4)
    for factor in registers:
        at = round(float(encoding(np.ones(1))[0]) * factor * (1 << 20) / RATE)
        assert level[at - 9 : at + 10].max() == pytest.approx(REFERENCE_LEVEL, rel=0.02)
        level[at - 200 : at + 200] = 0
    assert level.max() < REFERENCE_LEVEL / 100


def test_a_tick_is_heard_in_its_notes_alone_and_is_no_earcon():
    norms = notes_of(np.ones((40, 3)))
    hop = SMOOTH.hop(3)
    ticks = np.zeros(40, bool)
    ticks[[5, 17]] = True
    change = render(norms, preset=SMOOTH, ticks=ticks).astype(int) - render(norms, preset=SMOOTH)
    heard = np.abs(change[: 40 * hop]).reshape(40, -1).max(axis=1)
    assert np.flatnonzero(heard).tolist() == [5, 17]
    assert heard.max() / 32767 > 0.02
    tick = change[5 * hop : 6 * hop, 0].astype(float)
    for cause in (np.nan, np.inf, 0.0):
        troubled = np.full((4, 1), -1.0)
        troubled[3] = cause
        earcon = render(notes_of(troubled), preset=SMOOTH)[3 * hop : 4 * hop, 0].astype(float)
        assert abs(tick @ earcon) < 0.3 * np.linalg.norm(tick) * np.linalg.norm(earcon)


def test_the_legend_plays_the_pitches_that_it_names():
    for preset, scale in ((SMOOTH, None), (SINGLE, Scale("linear", -2.0, 6.0))):
        played = legend(preset, scale)
        named = [re.findall(r"\d+", each) for each in re.findall(r" is ([^H]*) Hz", played.words)]
        hop = preset.hop(1)
        tones = len(played.notes) // len(named)
        for stream in range(played.notes.layers):
            others = set(range(played.notes.layers)) - {stream}
            clip = render(played.notes, preset=adjust(preset, muted=tuple(others)))[:, 0] / 32767
            for number, pitches in enumerate(named):
                part = clip[(number * tones + 2) * hop : (number * tones + 12) * hop]
                assert pitch_of(part) == pytest.approx(float(pitches[stream]), abs=1)
    assert played.words == "linear scale: -2 is 110 Hz, 2 is 440 Hz, 6 is 1760 Hz"


@pytest.mark.parametrize(
    ("name", "layers", "words"),
    [
        ("smooth", 1, "norm 1 is 440 Hz, a semitone up is twice the norm"),
        ("smooth", 2, "norm 1 is 220 and 880 Hz from early to late layers, a semitone up"),
        ("smooth", 9, "norm 1 is 220, 440 and 880 Hz from early to late layers, a semitone up"),
        ("smooth-1", 9, "norm 1 is 440 Hz, a semitone up is twice the norm"),
        ("arpeggio", 9, "norm 1 is 440 Hz, a semitone up is twice the norm"),
    ],
)
def test_words_and_legend_name_every_register(name, layers, words):
    preset = {**PRESETS, **EARLIER_PRESETS}[name]
    assert describe_pitch(preset, layers=layers).startswith(words)
    pitches = words.removeprefix("norm ").partition(" Hz")[0]
    assert f", {pitches} Hz," in legend(preset, layers=layers).words


def test_classic_plays_as_it_is():
    assert adjust(PRESETS["classic"]) == PRESETS["classic"]
    with pytest.raises(ValueError, match="plays as it is"):
        adjust(PRESETS["classic"], speed=10)


@pytest.mark.parametrize("name", ["smooth", "calm", "smooth-1", "arpeggio", "single"])
def test_a_preset_comes_back_from_json(name):
    preset = {**PRESETS, **EARLIER_PRESETS}[name]
    preset = adjust(preset, speed=12, encoding=Encoding(2, 0.5, "down"), muted=(0,))
    stored = json.loads(json.dumps(preset_to_json(preset)))
    assert preset_from_json(stored) == preset
    if not any(
        voice.register for voice in preset.voices
    ):  # known to readers that know no registers
        assert all(set(voice) == {"harmonics"} for voice in stored["voices"])


@pytest.mark.parametrize(
    "voice",
    [
        {"harmonics": [1.0], "register": 25},
        {"harmonics": [1.0], "register": 0.5},
        {"harmonics": [1.0], "loudness": []},
        {"harmonics": [1.0], "loudness": [[440]]},
        {"harmonics": [1.0], "loudness": [[440, 0], [220, 0]]},
        {"harmonics": [1.0], "loudness": [[440, 41]]},
        {"harmonics": [1.0], "loudness": [[440, math.nan]]},
        {"harmonics": [1.0, 1.0, 1.0], "register": 12},
        {"harmonics": [1.0], "pitch": 1},
    ],
)
def test_a_voice_that_cannot_sound_right_is_refused(voice):
    with pytest.raises(ValueError, match=r"must|voice"):
        preset_from_json({**preset_to_json(SINGLE), "voices": [voice]})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.sampled_from(sorted(preset_to_json(SMOOTH))), JSON)
def test_a_preset_of_somebody_else_is_either_sound_or_refused(field, value):
    try:
        preset = preset_from_json({**preset_to_json(SMOOTH), field: value})
    except ValueError:
        return
    clip = render(notes_of(restless(notes=50)), preset=preset)
    assert np.abs(clip.astype(float)).max() <= 0.8 * 32767 + 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mine"}, "name of a preset"),
        ({"title": ""}, "title must be"),
        ({"streams": 4}, "voices must be one per stream"),
        ({"note_frames": 500}, "note_frames must be 750 to 6000"),
        ({"sample_rate": 16_000}, "under half of the sample rate"),
        ({"level": 2.0}, "level must be 0 to 0.5"),
    ],
)
def test_a_preset_that_cannot_sound_right_is_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(SMOOTH, **changes)


def test_one_nan_in_a_million_rows_is_heard_at_the_widest_zoom():
    rows, layers, row = 1_000_000, 6, 654_321
    random = np.random.default_rng(3)
    norms = np.exp2(random.normal(-2, 0.5, (rows, layers))).astype(np.float32)
    per_note = 8_192
    calm = aggregate(norms, rows_per_note=per_note)
    norms[row, 4] = np.nan
    struck = aggregate(norms, rows_per_note=per_note)
    clips = [render(notes, preset=SMOOTH).sum(axis=1) / 32767 for notes in (calm, struck)]
    hop = SMOOTH.hop(layers)
    # What the earcon is, alone: the only note of its stream.
    pattern_norms = np.full((4, 3), -1.0)
    pattern_norms[3, 2] = np.nan
    pattern = render(notes_of(pattern_norms), preset=SMOOTH).sum(axis=1)[3 * hop : 4 * hop] / 32767
    score = [
        clip[: len(struck) * hop].reshape(-1, hop) @ pattern / (pattern @ pattern) for clip in clips
    ]
    assert not (score[0] > 0.7).any()
    assert np.flatnonzero(score[1] > 0.7).tolist() == [row // per_note]
    begins = row // per_note * hop
    change = np.abs(clips[1] - clips[0])
    onset = np.flatnonzero(change > 0.01)[0]
    assert 0 <= onset - begins < 0.02 * RATE


@pytest.mark.statistics
def test_what_was_heard_in_ever_other_ways_leaves_no_memory():
    notes = notes_of([[0.1, np.nan, 3.0]] * 2)

    def listen(centers):
        for center in centers:
            speed = 8 + 24 * float(center % 1)
            render(notes, preset=adjust(SMOOTH, speed=speed, encoding=Encoding(2, center)))

    listen(np.arange(1, 300) + np.linspace(0, 0.99, 299))
    tracemalloc.start()
    listen(np.arange(300, 900) + np.linspace(0, 0.99, 600))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 12e6  # no more than all caches together
