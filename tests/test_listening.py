"""The listener of the benchmarks, which takes runs for those that they sound like."""

import wave

import numpy as np
import pytest
import soundfile


@pytest.fixture(scope="module")
def listening():
    from benchmarks import listening  # needs scikit-learn and SciPy

    return listening


def test_the_script_of_2019_is_heard_as_a_player_decodes_its_file(listening, tmp_path):
    norms = np.float32([[0.5, 0.0, 300.0], [2.0, 1e9, 0.1]])
    frames = []
    for row in norms:
        for norm in row:
            tone = (200.0 + norm * 100.0).astype(np.float32)
            samples = np.sin(2 * np.pi * np.arange(44_100 * 0.01) * tone / 44_100)
            frames.append(0.1 * samples.astype(np.float32))
        frames.append(np.zeros(882, dtype=np.float32))
    with wave.open(str(tmp_path / "sgd.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(4)
        file.setframerate(44_100)
        file.writeframes(b"".join(frame.astype(np.float32).tobytes() for frame in frames))
    decoded, _ = soundfile.read(tmp_path / "sgd.wav")
    np.testing.assert_array_equal(listening.script_waveform(norms), decoded)


def test_the_listener_takes_each_seed_for_its_nearest_neighbour_of_another_seed(listening):
    features = np.zeros((3, 4, 2))
    features[..., 0] = [[0], [10], [20]]
    features[2, 3, 0] = 9  # one of the third sounds like the second
    expected = [[4, 0, 0], [0, 4, 0], [0, 1, 3]]
    np.testing.assert_array_equal(listening.confusion(features), expected)


@pytest.mark.parametrize("hz", [100.0, 1_000.0, 8_000.0])
def test_the_listener_hears_a_sine_of_full_scale_at_0_db_in_its_band(listening, hz):
    energies = listening.log_mel(np.sin(2 * np.pi * hz * np.arange(24_000) / 24_000))
    assert energies.max(axis=1) == pytest.approx(0, abs=3)
    mels = 2595 * np.log10(1 + np.array([60, hz, 11_000]) / 700)
    band = (mels[1] - mels[0]) / (mels[2] - mels[0]) * 41 - 1
    assert (np.abs(energies.argmax(axis=1) - band) < 1).all()
