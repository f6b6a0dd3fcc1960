"""How loud it seems, by ISO 532-1, and how loud it is, by BS.1770."""

import numpy as np
import pytest

from tb_sonify.schema.notes import aggregate
from tb_sonify.sound import PRESETS, StreamPreset, render

pytestmark = pytest.mark.statistics

NORMS = 10.0 ** np.arange(-8, 9, 2)
# Without a pad, which is quieter
STREAM_PRESETS = [
    each for each in PRESETS.values() if isinstance(each, StreamPreset) and not each.pad
]


def heard(norms, preset):
    return render(aggregate(norms.astype(np.float32), rows_per_note=1), preset=preset) / 32767


def sones(mono):
    """Loudness of a steady sound played at a moderate level."""
    from mosqito.sq_metrics import loudness_zwst
    from scipy.signal import resample_poly

    at_48_khz = resample_poly(mono, 2, 1) * 0.4  # pascal
    return loudness_zwst(at_48_khz[4_800:-4_800], 48_000)[0]


@pytest.mark.parametrize("preset", STREAM_PRESETS, ids=lambda preset: preset.name)
def test_every_norm_seems_equally_loud(preset):
    loudness = [sones(heard(np.full((12, 3), norm), preset).mean(axis=1)) for norm in NORMS]
    assert max(loudness) / min(loudness) < 1.3


@pytest.mark.parametrize("stream", range(3))
def test_every_norm_of_a_single_stream_seems_equally_loud(stream):
    loudness = []
    for norm in NORMS:
        norms = np.full((12, 3), -1.0)
        norms[:, stream] = norm
        loudness.append(sones(heard(norms, PRESETS["smooth"]).mean(axis=1)))
    assert max(loudness) / min(loudness) < 1.3


def test_a_raw_sine_would_not_pass():
    seconds = np.arange(24_000) / 24_000
    low, high = (sones(0.05 * np.sin(2 * np.pi * hz * seconds)) for hz in (95, 948))
    assert high / low > 2


@pytest.mark.parametrize("preset", STREAM_PRESETS, ids=lambda preset: preset.name)
@pytest.mark.parametrize("typical", [0.05, 0.5, 5.0])
def test_an_ordinary_run_is_at_minus_20_lufs(preset, typical):
    import pyloudnorm

    noise = np.random.default_rng(3).normal(0, 0.5, (200, 4))
    clip = heard(typical * np.exp(noise), preset)
    loudness = pyloudnorm.Meter(preset.sample_rate).integrated_loudness(clip)
    assert loudness == pytest.approx(-20, abs=1)
