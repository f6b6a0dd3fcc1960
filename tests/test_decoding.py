"""The sound informs: from the WAV alone, a listener writes the norms down again."""

import io

import numpy as np
import pytest
import soundfile

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, encode_wav, render
from tests.decoder import decode

pytestmark = pytest.mark.statistics

SMOOTH, SINGLE = PRESETS["smooth"], PRESETS["single"]
OPUS_BITS_PER_SECOND = 64_000
NOTES = 60  # of a run: each costs a second of listening


def noisy_run(notes, layers, *, seed, spread=2.0):
    """Norms that drift as a log-normal walk, with noise of half a doubling from step to step.

    `spread` is how many doublings the layers are apart.
    """
    random = np.random.default_rng(seed)
    start = random.normal(0, spread, layers)
    walk = random.normal(0, 0.25, (notes, layers)).cumsum(axis=0)
    return np.exp2(start + walk + random.normal(0, 0.5, (notes, layers))).astype(np.float32)


def as_wav(norms, preset):
    pcm = render(aggregate(norms, rows_per_note=1), preset=preset)
    return encode_wav(pcm, sample_rate=preset.sample_rate)


def stereo(wav):
    return soundfile.read(io.BytesIO(wav), always_2d=True)[0]


def mono(wav):
    return stereo(wav).mean(axis=1, keepdims=True)


def opus(wav):
    """Through Opus in Ogg at 64 kb/s."""
    pcm, rate = soundfile.read(io.BytesIO(wav), always_2d=True)
    # libsndfile maps the level to 256 kb/s per channel at 0, 6 kb/s at 1.
    level = (256_000 - OPUS_BITS_PER_SECOND / pcm.shape[1]) / 250_000
    ogg = io.BytesIO()
    soundfile.write(ogg, pcm, rate, format="OGG", subtype="OPUS", compression_level=level)
    bits_per_second = 8 * len(ogg.getvalue()) / (len(pcm) / rate)
    assert bits_per_second == pytest.approx(OPUS_BITS_PER_SECOND, rel=0.15)
    ogg.seek(0)
    return soundfile.read(ogg, always_2d=True)[0]


def mono_after_opus(wav):
    return opus(wav).mean(axis=1, keepdims=True)


def ranks(*samples):
    """Twice the rank of each value in its sample, equal values sharing the mean."""
    return [
        sum(np.searchsorted(np.sort(x), x, side) for side in ("left", "right")) for x in samples
    ]


def rank_correlations(norms, waveform, preset):
    decoded = decode(waveform, preset=preset, streams=norms.shape[1])
    assert decoded.shape == norms.shape
    return [np.corrcoef(ranks(*pair))[0, 1] for pair in zip(decoded.T, norms.T, strict=True)]


@pytest.mark.parametrize("through", [stereo, mono, opus])
def test_one_stream_is_decoded(through):
    norms = noisy_run(NOTES, 1, seed=5)
    waveform = through(as_wav(norms, SINGLE))
    assert min(rank_correlations(norms, waveform, SINGLE)) >= 0.99


@pytest.mark.parametrize("through", [stereo, mono, opus, mono_after_opus])
@pytest.mark.parametrize("spread", [2.0, 0.5], ids=["apart", "near unison"])
def test_each_of_three_streams_at_once_is_decoded(through, spread):
    norms = noisy_run(NOTES, 3, seed=2, spread=spread)
    waveform = through(as_wav(norms, SMOOTH))
    assert min(rank_correlations(norms, waveform, SMOOTH)) >= 0.95


@pytest.mark.parametrize("through", [mono, mono_after_opus])
def test_a_stream_that_wanders_through_its_neighbours_register_is_decoded(through):
    norms = noisy_run(NOTES, 3, seed=2, spread=0.5)
    norms[:, 0] *= np.exp2(np.linspace(0, 20, NOTES))  # from an octave below to nearly one above
    norms[:, 2] *= np.exp2(-np.linspace(0, 14, NOTES))
    waveform = through(as_wav(norms, SMOOTH))
    assert min(rank_correlations(norms, waveform, SMOOTH)) >= 0.95


def test_one_spike_of_a_million_does_not_flatten_the_rest():
    norms = noisy_run(NOTES, 1, seed=7)
    norms[NOTES // 2] = 1e6
    assert min(rank_correlations(norms, stereo(as_wav(norms, SINGLE)), SINGLE)) >= 0.99


def test_a_spike_in_one_stream_leaves_all_three_readable():
    norms = noisy_run(NOTES, 3, seed=7)
    norms[NOTES // 2, 1] = 1e6
    assert min(rank_correlations(norms, stereo(as_wav(norms, SMOOTH)), SMOOTH)) >= 0.99
