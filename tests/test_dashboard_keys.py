"""Every command of the table of keys, by a real press of each of its keys."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.screen import HIGHEST, LOWEST, SPIKE_AT, STEPS

COMMANDS = Path(__file__).parent.parent / "frontend" / "src" / "actions" / "commands.ts"
ENTRY = r'^  (\w+): command\(\s*"\w+",\s*"[^"]+",\s*\[((?:\s*"[^"]+",?)*)\s*\]'
TABLE = {
    command: re.findall(r'"([^"]+)"', keys)
    for command, keys in re.findall(ENTRY, COMMANDS.read_text(), re.M)
}
LAST = STEPS - 1


def moves_to(step, /, since=50):
    def check(screen, press):
        screen.open_at(since)
        press()
        screen.stands(step=step, state="paused")
        screen.says(f"step {int(step)}")
        screen.kept = True

    return check


def goes_to_the_run_of(which, step):
    def check(screen, press):
        screen.open()
        screen.page.wait_for_load_state("networkidle")  # of the curves behind A and B
        press()
        screen.stands(step=step, state="paused", run="c")
        screen.says(f"{which}: c")

    return check


def says(text, *before, **link):
    def check(screen, press):
        screen.open(**link)
        for key in before:
            screen.press(key)
        press()
        screen.says(text)

    return check


def tells(text):
    """Says something, and changes nothing."""

    def check(screen, press):
        screen.open_at()
        expect(screen.status).not_to_contain_text(text)
        press()
        screen.says(text)
        screen.kept = True

    return check


def hears(run, **link):
    def check(screen, press):
        screen.open(**link)
        press()
        screen.stands(run=run, step=50)
        screen.says(f"{run}")

    return check


def hears_both(name):
    def check(screen, press):
        screen.open()
        press()
        expect(screen.page.get_by_role("radio", name=name)).to_be_checked()

    return check


def opens(title):
    def check(screen, press):
        screen.open_at()
        press()
        expect(screen.page.get_by_role("dialog", name=title)).to_be_visible()
        expect(screen.page.get_by_role("heading", name=title)).to_be_focused()
        screen.press("Escape")
        expect(screen.timeline).to_be_focused()
        screen.kept = True

    return check


def zooms_to(share, *before):
    def check(screen, press):
        screen.open()
        for key in before:
            screen.press(key)
        press()
        first, last = screen.seen()
        assert last - first == pytest.approx(share * LAST, abs=2)
        assert first <= 50 <= last

    return check


def plays_and_pauses(screen, press):
    screen.open()
    press()
    screen.stands(state="playing")
    press()
    screen.stands(state="paused")
    screen.says("Paused at step")


def plays_two_seconds(screen, press):
    screen.open()
    press()
    screen.stands(state="playing")
    screen.stands(state="paused", step=50)


def plays_past_the_loop(screen, press):
    screen.open(step=380)
    screen.press("Shift+ArrowRight")
    press()
    screen.stands(state="ended", step=LAST)
    screen.says("ends at step 399")


def plays_back(screen, press):
    screen.open(step=15)
    press()
    screen.says("Playing back")
    screen.stands(state="ended", step=0)


def stops(screen, press):
    screen.open()
    screen.press("Space")
    screen.stands(state="playing")
    screen.page.wait_for_function("document.querySelector('.timeline').dataset.step > 52")
    press()
    screen.stands(state="paused", step=50)
    screen.says("Stopped, back at step 50")


def follows(screen, press):
    screen.open()
    press()
    screen.stands(state="playing")
    expect(screen.page.get_by_role("button", name="Follow")).to_have_attribute(
        "aria-pressed", "true"
    )


def forgets_the_loop(screen, press):
    screen.open()
    screen.press("Shift+ArrowRight")
    screen.says("Loop, steps 50 to 51")
    press()
    screen.says("No loop")
    screen.press("Shift+ArrowLeft")  # as the first time, it makes one
    screen.says("Loop, steps 50 to 51")


def hears_the_next_run(screen, press):
    screen.open()
    press()  # that in B is heard there
    screen.stands(run="b", step=50)
    press()  # any other takes its place
    screen.stands(run="c", step=50)
    screen.says("B is now c")
    press()
    screen.says("No run after this")


def copies_the_link(screen, press):
    screen.open()
    with screen.page.expect_event("dialog") as shown:  # there is no clipboard
        press()
    assert "p.sonify.step=50" in shown.value.default_value
    shown.value.dismiss()


def opens_field(title, starts):
    def check(screen, press):
        screen.open_at()
        press()
        field = screen.page.get_by_role("textbox", name=title)
        expect(field).to_be_focused()
        assert field.input_value().startswith(starts)
        screen.press("Escape")
        expect(screen.timeline).to_be_focused()
        expect(field).to_have_count(0)
        screen.kept = True

    return check


def opens_search(name, role):
    def check(screen, press):
        screen.open_at()
        press()
        expect(screen.page.get_by_role(role, name=name)).to_be_focused()
        screen.press("Escape")
        expect(screen.timeline).to_be_focused()
        screen.kept = True

    return check


def loops_around_the_spike(screen, press):
    screen.open()
    press()
    screen.says(f"Loop, around spike at step {SPIKE_AT}, steps {SPIKE_AT - 5} to {SPIKE_AT + 6}")
    screen.stands(step=SPIKE_AT - 5)


CHECKS = {
    "playOrPause": plays_and_pauses,
    "playOnce": plays_two_seconds,
    "playToEnd": plays_past_the_loop,
    "playBack": plays_back,
    "stop": stops,
    "faster": says("25 notes a second"),
    "slower": says("10 notes a second"),
    "normalSpeed": says("Normal speed", "."),
    "follow": follows,
    "previousNote": moves_to(49),
    "nextNote": moves_to(51),
    "backTenth": moves_to(50 - LAST / 10),
    "forwardTenth": moves_to(50 + LAST / 10),
    "toStart": moves_to(0),
    "toEnd": moves_to(LAST),
    "nextEvent": moves_to(SPIKE_AT),
    "previousEvent": moves_to(SPIKE_AT, since=200),
    "lowest": moves_to(LOWEST["a"]),
    "highest": moves_to(HIGHEST["a"]),
    "lowestOfAll": goes_to_the_run_of("lowest", LOWEST["c"]),
    "highestOfAll": goes_to_the_run_of("highest", HIGHEST["c"]),
    "nextHigher": moves_to(251, since=250),
    "nextLower": moves_to(250),
    "nextCrossing": moves_to(LOWEST["a"]),
    "previousCrossing": moves_to(LOWEST["a"], since=300),
    "goTo": opens_search("Step, percent", "textbox"),
    "loopLandmark": loops_around_the_spike,
    "toggleLoop": says("Loop off", "Shift+ArrowRight"),
    "loopMore": says("Loop, steps 50 to 51"),
    "loopLess": says("Loop, steps 50 to 51", "Shift+ArrowRight", "Shift+ArrowRight"),
    "clearLoop": forgets_the_loop,
    "previousRun": hears("a", hear="b"),
    "nextRun": hears_the_next_run,
    "hearA": hears("a", hear="b"),
    "hearB": hears("b"),
    "swap": hears("b"),
    "hearBoth": hears_both("Hear A on the left and B on the right"),
    "blink": hears_both("Alternate A and B every two seconds"),
    "soloHere": says("a alone"),
    "muteHere": says("a muted"),
    "toggleCurve": says("The curve is heard as well"),
    "cycleQuantity": tells("There are gradients only"),
    "zoomIn": zooms_to(1 / 2),
    "zoomOut": zooms_to(1 / 2, "+", "+"),
    "zoomFit": zooms_to(1, "+", "+"),
    "toggleOutliers": says("No outliers"),
    "sayPosition": tells("a, step 50, loss 2"),
    "describe": opens("Description"),
    "cycleVerbosity": says("Said while playing: all of it"),
    "monitor": says("Monitoring"),
    "goToWorst": tells("No problems found in any run"),
    "toggleAlarm": says("Alarm on: a sound"),
    "toggleAlarmMute": says("The alarm is off: A turns it on"),
    "compareHere": tells("step 50: loss A, a 2, B, b 2, equal; norms equal"),
    "braille": opens_field("Curve of A, a in braille, steps 0 to 399", "⠤"),
    "reviewText": opens_field("Last message", ""),
    "cyclePitchRange": says("Pitch range: 2 semitones"),
    "showPalette": opens_search("Find a command", "combobox"),
    "copyLink": copies_the_link,
    "showHelp": opens("Keys"),
    "showOptions": opens("Options"),
}


def test_the_table_is_read_and_each_of_its_commands_has_a_test():
    assert len(TABLE) > 40
    assert set(CHECKS) == set(TABLE)
    assert all(TABLE.values())


@pytest.mark.parametrize(
    ("command", "chord"), [(command, chord) for command in TABLE for chord in TABLE[command]]
)
def test_a_key_does_what_the_table_says(screen, command, chord):
    CHECKS[command](screen, lambda: screen.press(chord))
