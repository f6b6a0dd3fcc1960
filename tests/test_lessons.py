"""What each sound means, as the plugin lists and plays it."""

import io
import json
import wave
from urllib.error import HTTPError

import numpy as np
import pytest

from tb_sonify.sound.lessons import lessons
from tests.dashboard import fetch
from tests.serving import served


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("lessons")
    with served(logdir) as url:
        yield url


def test_every_sound_is_listed_and_played_as_in_the_tutorial(url):
    known = json.loads(fetch(url, "lessons"))["lessons"]
    assert known == [{"name": each.name, "meaning": each.meaning} for each in lessons()]
    for lesson in lessons():
        with wave.open(io.BytesIO(fetch(url, "lesson", name=lesson.name))) as sound:
            pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
        np.testing.assert_array_equal(pcm, lesson.render().ravel())


def test_another_lesson_is_not_found(url):
    with pytest.raises(HTTPError, match="404") as error:
        fetch(url, "lesson", name="none")
    assert b"no lesson 'none'" in error.value.read()
