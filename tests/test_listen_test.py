"""The listening test: its staircase, its sounds, its session, its server and its page."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from werkzeug.test import Client

from tb_sonify.listen_test.server import ListenTest, bound_server
from tb_sonify.listen_test.session import Session, _in_words
from tb_sonify.listen_test.staircase import Staircase, Threshold, chance_of_right
from tb_sonify.listen_test.stimuli import (
    PARTS,
    PITCH,
    PULSATION,
    ROUGHNESS,
    SPIKE,
    interval,
    played_parts,
)
from tb_sonify.sound import PRESETS
from tests.commands import tb_sonify_here
from tests.looks import look
from tests.pages import fresh_page, wait_until
from tests.waiting import ending

SMOOTH = PRESETS["smooth"]
THRESHOLDS = {"pitch": 0.2, "spike": 8.0, "roughness": 0.08, "pulsation": 0.1}


def simulated(threshold, *, slope, trials, seed, lapse=0.03):
    """The threshold of a simulated listener, as it is estimated."""
    rng, staircase, answers = np.random.default_rng(seed), Staircase(PITCH.low, PITCH.high), []
    for _ in range(trials):
        level = staircase.next_level(answers)
        chance = chance_of_right(level, threshold, slope, lapse=lapse)
        answers.append((level, bool(rng.uniform() < chance)))
    return staircase.threshold(answers)


@pytest.mark.parametrize(("trials", "slope"), [(18, 0.08), (18, 0.3), (18, 0.6), (50, 0.6)])
def test_the_interval_holds_the_threshold_of_a_simulated_listener(trials, slope):
    true = np.random.default_rng(1).permutation(np.geomspace(PITCH.low, PITCH.high, 50))
    found = [simulated(t, slope=slope, trials=trials, seed=i) for i, t in enumerate(true)]
    held = [each.low <= t <= each.high for each, t in zip(found, true, strict=True)]
    # 45 of 50 are expected; fewer than 40 would come in 1 % of all cases.
    assert sum(held) >= 40
    off = np.log([each.estimate / t for each, t in zip(found, true, strict=True)])
    assert np.exp(np.median(np.abs(off))) < 1.6


def test_more_trials_leave_less_uncertainty():
    few, many = (
        np.median([np.log(each.high / each.low) for each in found])
        for found in (
            [simulated(0.3, slope=0.4, trials=n, seed=seed) for seed in range(9)] for n in (10, 60)
        )
    )
    assert many < few / 2


@pytest.mark.parametrize("right", [True, False])
def test_who_hears_all_or_nothing_has_a_threshold_beyond_what_is_played(right):
    staircase, answers = Staircase(PITCH.low, PITCH.high), []
    for trial in range(30):
        answers.append((staircase.next_level(answers), right or trial % 2 == 0))
    found = staircase.threshold(answers)
    assert found.estimate < PITCH.low * 1.1 if right else found.estimate > PITCH.high


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "classic"])
def test_parts_are_those_of_which_the_preset_plays_something(name):
    preset = PRESETS[name]
    parts = played_parts(preset)
    assert {PITCH, SPIKE} <= {*parts}
    if name == "smooth":
        assert parts == [*PARTS]
    assert (PARTS[3] in parts) == (preset.texture and preset.arrangement == "together")
    for part in parts:
        clips = {
            interval(part, level, preset, np.random.default_rng(5), stream=0).tobytes()
            for level in (0.0, part.high, part.high)
        }
        assert len(clips) == 2


@pytest.mark.parametrize("part", [ROUGHNESS, PULSATION])
@pytest.mark.parametrize(("name", "only"), [("smooth", 0), ("calm", 0), ("single", 1)])
def test_texture_is_as_deep_as_its_level_and_as_loud_as_without(part, name, only):
    nothing, half, full = (
        interval(part, level, PRESETS[name], np.random.default_rng(2), stream=0).astype(float)
        for level in (0.0, part.high / 2, part.high)
    )
    assert np.std(half - nothing) == pytest.approx(np.std(full - nothing) / 2, rel=0.01)
    assert 20 * np.log10(half.std() / nothing.std()) == pytest.approx(0, abs=0.5)
    # Of a tone with a modulation of depth m, at the power of the tone alone, this is the rest.
    m = part.high
    gain = 1 / np.sqrt(1 + m**2 / 2)
    expected = np.sqrt((1 - gain) ** 2 + (gain * m) ** 2 / 2)
    found = np.std(full - nothing) / nothing.std()
    assert found == pytest.approx(expected, rel=0.1) if only else found < expected


def test_an_interval_is_told_within_what_was_played():
    words = [
        _in_words(PITCH, Threshold(np.sqrt(low * high), low, high))["between"]
        for low, high in ((0.1, 0.5), (0.01, 0.5), (0.5, 3), (0.01, 3), (2.2, 3), (0.01, 0.02))
    ]
    assert words == [
        "from 0.1 to 0.5 doublings of the norm",
        "from less than 0.03 to 0.5 doublings of the norm",
        "from 0.5 to more than 2 doublings of the norm",
        "from less than 0.03 to more than 2 doublings of the norm",
        "more than 2 doublings of the norm",
        "less than 0.03 doublings of the norm",
    ]


def listened(session, *, seed=0):
    """Answer all that is left as a simulated listener."""
    rng = np.random.default_rng(seed)
    while not session.is_over:
        step, choice = session.step, 0
        if step.kind == "check":
            choice = session.target
        elif step.kind == "trial":
            chance = chance_of_right(session.level, THRESHOLDS[step.part.name], 0.4)
            choice = session.target ^ int(rng.uniform() > chance)
        session.answer(choice)


def at_first_trial(seed):
    session = Session(SMOOTH, seed=seed, trials=6)
    for choice in (0, 1, 0):  # volume; headphones, skipped; what the part is about
        session.answer(choice)
    return session


def test_a_session_reports_every_trial_and_is_the_same_for_a_seed():
    first, again, other = map(at_first_trial, (3, 3, 4))
    assert first.wav() == again.wav() != other.wav()
    session = Session(SMOOTH, seed=3, trials=6)
    listened(session)
    report = json.loads(json.dumps(session.report()))
    assert report["headphones"]["passed"] is True
    assert (report["seed"], report["preset"]["name"]) == (3, "smooth")
    assert len(report["trials"]) == 4 + 6 + 4 * 6
    for found in report["thresholds"]:
        assert found["low"] < THRESHOLDS[found["part"]] < found["high"]


def test_a_result_does_not_claim_more_than_the_answers_tell():
    session, clear = at_first_trial(0), at_first_trial(0)
    assert {each["words"] for each in session.result()["thresholds"]} == {"Too few answers to tell"}
    for target in (session, clear):
        for _ in range(6):
            target.answer(target.target if target is clear else 1 - target.target)
    (missed, heard) = (each.result()["thresholds"][0] for each in (session, clear))
    assert missed["words"].startswith("You do not hear it at 2 doublings")
    assert missed["verdict"].startswith("You may miss")
    assert heard["words"].startswith("You hear it ")
    assert heard["verdict"].startswith("You hear a doubling")


def test_headphones_can_be_left_out_or_be_worn_the_wrong_way_round():
    assert at_first_trial(0).result()["headphones"]["passed"] is None
    session = Session(SMOOTH, seed=0, trials=1)
    while session.step.part is None:
        choice = session.target if session.step.kind == "check" else 0
        session.answer(1 - choice if session.step.heading == "Left or right" else choice)
    headphones = session.result()["headphones"]
    assert headphones["passed"] is False
    assert headphones["sides"] == {"right": 0, "of": 4}
    assert headphones["quietest"] == {"right": 6, "of": 6}


@pytest.fixture
def client(tmp_path):
    return Client(ListenTest(Session(SMOOTH, seed=0, trials=1), tmp_path / "result.json"))


def answer(client, number, choice=0, **more):
    body = {"number": number, "choice": choice, "replays": 0, **more}
    return client.post("/answer", json=body, base_url="http://127.0.0.1/")


def test_the_server_gives_page_steps_and_sounds_and_writes_the_result(client, tmp_path):
    for path, kind in (("/", "html"), ("/page.js", "javascript"), ("/page.css", "css")):
        response = client.get(path)
        assert kind in response.content_type
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    step = client.get("/step").json
    while step["kind"] != "result":
        assert not {"target", "level"} & {*step}
        if step["sounds"]:
            assert client.get(f"/sound/{step['number']}.wav").data[:4] == b"RIFF"
        step = answer(client, step["number"]).json["step"]
    written = json.loads((tmp_path / "result.json").read_text())
    assert written["trials"] == client.get("/report.json").json["trials"]
    assert "result.json" in client.get("/step").json["saved"]


def test_a_result_that_cannot_be_written_any_more_is_said_and_can_be_downloaded(client, tmp_path):
    (tmp_path / "result.json").touch()
    while (step := client.get("/step").json)["kind"] != "result":
        answer(client, step["number"])
    assert "Not saved" in step["saved"]
    assert client.get("/report.json").json["trials"]


@pytest.mark.parametrize(
    ("number", "choice", "status", "message"),
    [
        (0, 0, 409, "answered already"),
        (2, 0, 404, "no step 2 yet"),
        (1, 2, 400, "choice must be 0 to 1, got 2"),
        (1, -1, 400, "choice must be a whole number, at least 0, got -1"),
        (1, True, 400, "got True"),
        ("1", 0, 400, "number must be a whole number"),
        (1, None, 400, "got None"),
    ],
)
def test_an_answer_that_cannot_be_meant_changes_nothing(client, number, choice, status, message):
    answer(client, 0)
    response = answer(client, number, choice)
    assert response.status_code == status
    assert message in response.json["error"]
    assert client.get("/step").json["number"] == 1


def test_other_pages_and_routes_get_nothing(client):
    assert client.post("/answer", data="{}").status_code == 415  # what a form can send
    assert client.post("/answer", json=[1]).status_code == 400
    assert client.get("/step", base_url="http://attacker.test/").status_code == 400
    assert client.get("/sound/7.wav").status_code == 404
    assert client.get("/session.py").status_code == 404
    assert client.get("/answer").status_code == 405


def test_a_mistake_on_the_command_line_is_one_line(tmp_path):
    (tmp_path / "there.json").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options, message in (
            (("--preset", "classic"), "must be one with streams (smooth, "),
            (("--preset", "loud"), "got 'loud'"),
            (("--seed", "-1"), "must be at least 0, got -1"),
            (("--trials", "201"), "must be at most 200, got 201"),
            (("--output", tmp_path / "there.json"), "File exists"),
            (("--output", tmp_path / "none" / "a.json"), "No such file or directory"),
            (("--output", tmp_path / "a.json", "--port", port), "Address already in use"),
            (("--output", tmp_path / "a.json", "--port", 99999), "from 0 to 65535"),
        ):
            result = tb_sonify_here("listen-test", "--no-browser", *options)
            assert result.returncode == 2
            assert message in result.stderr
            assert result.stderr.count("\n") == 1
    assert [*tmp_path.iterdir()] == [tmp_path / "there.json"]


@pytest.mark.server
def test_ctrl_c_ends_it_quietly(tmp_path):
    command = [sys.executable, "-m", "tb_sonify", "listen-test", "--no-browser"]
    pipe = subprocess.PIPE
    serving = subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True)
    with ending(serving) as process:
        assert "http://127.0.0.1:" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert "nothing was saved" in output
    assert [*tmp_path.iterdir()] == []


@contextmanager
def serving(output: Path, *, trials: int):
    """The address of a test that is served in this process, and its session."""
    test = ListenTest(Session(SMOOTH, seed=1, trials=trials), output)
    with bound_server(test, port=0) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}/", test.session
        finally:
            server.shutdown()
            thread.join()


def start_with_a_screen_reader(page):
    """Choose by keys that sounds wait for Space, have them play faster, and go on."""
    page.evaluate("sound.defaultPlaybackRate = 16")
    while not page.evaluate("document.activeElement.id === 'wait'"):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.locator("#stage").focus()
    page.keyboard.press("Enter")


def answer_step(page, session, key):
    """Hear the current step and answer it, too early at first."""
    number, asks = session.number, session.step.kind != "page"
    wait_until(page, lambda: page.evaluate("step.number") == number)
    assert page.evaluate("document.activeElement.id") == "stage"
    if asks:
        page.keyboard.press(key)
        page.keyboard.press("Space")
        wait_until(page, lambda: page.evaluate("heard"))
        assert session.number == number
    page.keyboard.press(key if asks else "Enter")
    wait_until(page, lambda: session.number > number)


def test_the_whole_test_runs_by_keys_alone(browser, tmp_path):
    output, keys = tmp_path / "result.json", cycle(["1", "ArrowRight", "2", "ArrowLeft"])
    with serving(output, trials=2) as (address, session), fresh_page(browser) as page:
        page.goto(address)
        wait_until(page, lambda: page.evaluate("document.activeElement.id") == "stage")
        look(page, "listen-test-volume")
        start_with_a_screen_reader(page)
        while session.step.kind != "trial":
            answer_step(page, session, next(keys))
        wait_until(page, lambda: "press Space" in page.inner_text("#status"))
        page.keyboard.press("Escape")
        assert "Paused" in page.inner_text("#status")
        look(page, "listen-test-trial")
        page.locator("#pause").click()  # and the keys go on
        assert page.evaluate("document.activeElement.id") == "stage"
        page.set_viewport_size({"width": 320, "height": 800})
        while not session.is_over:
            answer_step(page, session, next(keys))
        wait_until(page, lambda: page.evaluate("document.activeElement.id") == "heading")
        look(page, "listen-test-result")
        page.emulate_media(forced_colors="active")
        page.reload()  # the result is still there
        wait_until(page, lambda: page.locator("article").count() == len(PARTS))
        look(page, "listen-test-result-forced")
    report = json.loads(output.read_text())
    assert len(report["trials"]) == 4 + 6 + 4 * 2
    assert {each["part"] for each in report["trials"][10:]} == {part.name for part in PARTS}
