"""What is unusual chimes once, beside the tones, and clips join wherever a chime is cut."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.sound import EARLIER_PRESETS, PRESETS, Scale, Voice, advance_state, render
from tb_sonify.training.run_log import RowBatch, RowSchema
from tests.batches import record
from tests.logs import row_events, scalar_events, write_events
from tests.test_clips import samples_of

SMOOTH = PRESETS["smooth"]
HOP, RATE = SMOOTH.hop(12), SMOOTH.sample_rate
LAYERS = 12
LOW = tuple(Voice((1.0,), register=register) for register in (-24, -12, 0))
AT_8_KHZ = replace(
    SMOOTH, voices=LOW, sample_rate=8_000, note_frames=480, tail=32, glide=64, stagger=60
)


def healthy(notes=200, layers=LAYERS, deviation=0.15, seed=3):
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(0, deviation, (notes, layers)) + rng.normal(-2, 1, layers))


def notes_of(norms):
    return aggregate(np.asarray(norms, np.float32), rows_per_note=1)


def chimes(norms, preset=SMOOTH):
    """Notes in which a chime begins, by how much its pair of partials grows."""
    clip = render(notes_of(norms), preset=replace(preset, level=0.0)) / 32767
    frames = clip.sum(axis=1)[preset.tail :][: len(norms) * HOP].reshape(len(norms), HOP)
    seconds = np.arange(HOP) / RATE
    heard = np.min(
        [np.abs(frames @ np.exp(-2j * np.pi * hz * seconds)) / HOP for hz in (1318.5, 1975.5)],
        axis=0,
    )
    return np.flatnonzero((heard > 0.003) & (heard > 1.5 * np.append(0, heard[:-1]))).tolist()


def test_a_run_of_ordinary_noise_does_not_chime():
    for deviation in (0.0, 0.15, 0.7):
        assert not chimes(healthy(1_000, deviation=deviation))


def test_norms_that_all_are_far_above_their_noise_chime_once():
    norms = healthy()
    norms[150] *= 5
    norms[157] *= 5  # soon after
    norms[180:] *= 5
    assert chimes(norms) == [150, 180]


def test_a_layer_that_is_far_above_its_own_noise_chimes():
    norms = healthy(deviation=0.03)
    norms[150, norms[0].argmin()] *= 4
    assert chimes(norms) == [150]


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_one_layer_of_twelve_that_doubles_or_halves_and_stays_chimes_once(factor):
    for layer in (0, 5, 11):
        norms = healthy(260)
        norms[150:, layer] *= factor
        (note,) = chimes(norms)
        assert 158 <= note <= 170
        left, right = np.abs(
            render(notes_of(norms), preset=replace(SMOOTH, level=0.0))[note * HOP :]
        ).max(axis=0)
        assert np.sign(int(right) - int(left)) == np.sign(layer - 5)


def test_layers_that_all_double_and_stay_do_not_leave_their_group():
    norms = healthy(260)
    norms[150:] *= 2
    assert not chimes(norms)


def test_the_unit_of_a_quantity_and_an_earlier_preset_make_a_chime_and_none():
    norms = healthy()
    norms[150] *= 5
    assert chimes(norms * 1e3) == chimes(norms * 1e-5) == [150]
    assert not chimes(norms, EARLIER_PRESETS["smooth-1"])


@pytest.mark.parametrize(
    "preset",
    [
        SMOOTH,
        SMOOTH.at_speed(32),
        SMOOTH.at_speed(4),
        AT_8_KHZ,
        replace(PRESETS["arpeggio"], name="judged", judged=True),
    ],
    ids=["smooth", "fast", "slow", "8 kHz", "in turn"],
)
def test_clips_join_wherever_a_chime_is_cut(preset):
    norms = healthy(230)
    norms[[100, 120, 121], :] *= 5
    norms[150:, 3] *= 2.2
    norms[40:60, 1], norms[60:80, 2] = np.nan, NO_GRADIENT
    norms[185:, 4:8] *= 16 / np.median(norms[:, 4:8])  # crosses norm 1
    notes, hop = notes_of(norms), preset.hop(LAYERS)
    whole = render(notes, preset=preset).astype(int)
    joined, state = np.zeros_like(whole), None
    cuts = (
        0,
        1,
        30,
        73,
        99,
        100,
        101,
        104,
        107,
        108,
        109,
        116,
        117,
        137,
        165,
        166,
        168,
        171,
        180,
        193,
        194,
        195,
    )
    for first, end in itertools.pairwise((*cuts, len(notes))):
        clip = render(notes[first:end], preset=preset, state=state)
        joined[first * hop :][: len(clip)] += clip
        state = advance_state(notes[first:end], preset=preset, state=state)
    assert np.abs(joined - whole).max() <= (2 if preset.name == "judged" else 1)


def crossings(norms):
    """Notes in which two tones begin, 1 for a rise and -1 for a fall each."""
    preset = replace(SMOOTH, level=0.0)
    clip = render(notes_of(norms), preset=preset).sum(axis=1)[preset.tail :] / 32767
    frames = clip[: len(norms) * HOP].reshape(len(norms), HOP)
    waves = np.exp(-2j * np.pi * np.outer((659.3, 987.8), np.arange(HOP)) / RATE)
    low, high = np.abs(waves @ frames.T) / HOP > 0.005
    rises = dict.fromkeys(np.flatnonzero(low[:-1] & high[1:]), 1)
    return rises | dict.fromkeys(np.flatnonzero(high[:-1] & low[1:]), -1)


def test_a_stream_that_crosses_norm_1_is_heard_once_each_way():
    rng = np.random.default_rng(0)
    levels = np.interp(np.arange(400), [0, 120, 150, 250, 280, 400], [-2, -2, 2, 2, -2, -2])
    norms = np.exp2(levels + rng.normal(0, 0.2, 400))[:, None]
    ((up, rises), (down, falls)) = crossings(norms).items()
    assert (rises, falls) == (1, -1)
    assert 135 <= up <= 150
    assert 265 <= down <= 280
    assert not crossings(np.exp2(rng.normal(0, 0.3, (1_000, 1))))  # along the line
    assert not crossings(np.tile([[0.25], [4.0]], (200, 1)))
    assert not crossings(norms * 100)


@pytest.mark.parametrize("layers", [1, 2, 3, 12, 2_000])
def test_odd_series_render_as_finite_sound(layers):
    rng = np.random.default_rng(0)
    same = np.full((300, layers), 0.3)
    first, denormal, broken = same.copy(), same * 1e-44, healthy(120, layers)
    first[0] = 1e30
    broken[rng.random(broken.shape) < 0.3] = np.nan
    broken[rng.random(broken.shape) < 0.1] = np.inf
    broken[rng.random(broken.shape) < 0.1] = 0.0
    for norms in (same, first, denormal, broken, same * np.nan, same[:1], same[:0]):
        clip = render(notes_of(norms), preset=SMOOTH)
        assert len(clip) == len(norms) * SMOOTH.hop(layers) + SMOOTH.tail
        assert np.abs(clip).max() < 32_767


def test_a_series_that_never_changes_does_not_chime():
    assert not chimes(np.full((300, LAYERS), 0.3))


def test_words_tell_once_why_it_chimes(tmp_path, open_slow_client):
    layers = tuple("abcdefghijkl")
    norms, calm = healthy(400), healthy(400)
    norms[200:, 3] *= 2.2
    norms[300] *= 5
    norms[310, 1] = np.nan
    calm[300] *= 5
    for name, each in (("doubled", norms), ("jump", calm)):
        events = row_events(each.astype(np.float32), range(400), layers=layers)
        write_events(tmp_path / name, events)
    client = open_slow_client(tmp_path)

    def told(run):
        answer = client.json_of("landmarks", run=run)["landmarks"]
        return [(each["kind"], each["step"], each["layer"], each["sentence"]) for each in answer]

    doubled = told("doubled")
    kind, step, layer, sentence = doubled[0]
    assert (kind, layer) == ("leaving", "d")
    assert 208 <= step <= 220
    assert sentence.startswith("gradient of d leaves the layers of its group, 2.")
    assert [each[:2] for each in doubled[1:]] == [("spike", 300), ("nan", 310)]
    assert [each[:2] for each in told("jump")] == [("spike", 300)]


@pytest.mark.parametrize("quantity", ["gradient", "update", "ratio"])
def test_a_chime_is_heard_in_any_quantity_and_goes_on_in_the_next_clip(
    tmp_path, open_slow_client, quantity
):
    gradient, update = healthy(200, 3), healthy(200, 3, seed=4) * 1e-3
    for table, row in ((gradient, 160), (update, 140)):
        table[row] *= 5
    rows = np.stack([gradient, update, np.ones_like(update)], axis=1).astype(np.float32)
    schema = RowSchema(tuple("abc"), {}, quantities=("gradient", "update", "weight"))
    steps = np.arange(200)
    measured = RowBatch(schema, steps, 100.0 + steps, lambda: rows.reshape(200, 9))
    record(tmp_path / "run", measured, presets=[SMOOTH])
    client = open_slow_client(tmp_path)
    source = {"run": "run", "preset": "smooth", "quantity": quantity}
    jump = 160 if quantity == "gradient" else 140

    def clip(first, notes):
        answer = client.sonify("clip", first_note=first, notes=notes, **source)
        assert answer.status_code == 200, answer.text
        return samples_of(answer.data, SMOOTH), answer.headers["X-Sonify-Source"]

    whole, _ = clip(0, 200)
    joined, sources = np.zeros_like(whole), set()
    for first, end in itertools.pairwise((0, 100, jump - 2, jump + 1, jump + 2, 200)):
        part, made = clip(first, end - first)
        sources.add(made)
        joined[first * HOP :][: len(part)] += part
    assert np.abs(joined - whole).max() <= 1
    assert sources == ({"logged", "rendered"} if quantity == "gradient" else {"rendered"})
    mono = whole.sum(axis=1) / 32_767
    waves = np.exp(-2j * np.pi * np.outer((1_318.5, 1_975.5), np.arange(2 * HOP)) / RATE)
    heard = [np.abs(waves @ mono[note * HOP :][: 2 * HOP]).min() for note in range(30, 198)]
    assert int(np.argmax(heard)) + 30 in (jump, jump + 1)


def test_a_scalar_chimes_by_its_own_past(tmp_path, open_slow_client):
    losses = healthy(200, 1)
    losses[150] *= 5
    write_events(tmp_path / "run", scalar_events("loss", enumerate(losses[:, 0].tolist())))
    scale = {"scale": "log", "low": 0.01, "high": 10.0}
    query = {"run": "run", "tag": "loss", "first_note": 0, "notes": 200, **scale}
    answer = open_slow_client(tmp_path).sonify("clip", preset="single", **query)
    without = render(notes_of(Scale("log", 0.01, 10.0)(losses)), preset=PRESETS["single"])
    apart = np.abs(samples_of(answer.data, PRESETS["single"]) - without).max(axis=1)
    notes = apart[SMOOTH.tail :][: 200 * HOP].reshape(200, HOP).max(axis=1)
    assert set(np.flatnonzero(notes > 300)) >= {151, 152}  # the bell of a note is over
