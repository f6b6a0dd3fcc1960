"""Reading runs by the keyboard alone: palette, go to, landmarks, braille, and the way in."""

import pytest
from playwright.sync_api import expect

from tests.dashboard import ALONE, TAB, WAIT_MS
from tests.looks import look
from tests.pages import fresh_page
from tests.screen import SPIKE_AT, STEPS, write_three_runs


@pytest.mark.parametrize("path", [TAB, ALONE])
def test_the_timeline_has_the_focus_without_a_key_and_the_palette_opens(serve_once, browser, path):
    url = serve_once(write_three_runs)
    with fresh_page(browser) as page:
        page.goto(f"{url}{path}")
        content = page if path == ALONE else page.frame_locator("iframe")
        timeline = content.locator(".timeline")
        expect(timeline).to_be_focused(timeout=WAIT_MS)
        content.locator(".position[aria-valuetext*=loss]").wait_for(timeout=WAIT_MS)
        page.keyboard.press("End")
        expect(timeline).to_have_attribute("data-step", f"{STEPS - 1}.00")
        page.keyboard.press("Control+k")
        expect(content.get_by_role("combobox", name="Find a command")).to_be_focused()
        page.keyboard.type("first step")
        expect(content.locator("#palette-list > *").first).to_contain_text("To the first step")
        page.keyboard.press("Enter")
        expect(timeline).to_have_attribute("data-step", "0.00")
        expect(timeline).to_be_focused()


def test_the_first_stop_leads_to_the_timeline(screen):
    screen.open()
    screen.page.get_by_role("button", name="To the timeline").focus()
    screen.press("Enter")
    expect(screen.timeline).to_be_focused()


def test_the_palette_finds_commands_and_says_why_some_cannot_be_done(screen):
    screen.open()
    screen.press("Ctrl+Shift+P")
    palette = screen.page.get_by_role("dialog", name="Commands")
    options, status = palette.get_by_role("option"), palette.get_by_role("status")
    chosen = palette.get_by_role("option", selected=True)
    assert options.count() > 50
    screen.page.keyboard.type("stop")
    expect(chosen).to_contain_text("Stop, and go back to where it began Nothing plays")
    expect(chosen).to_be_disabled()
    screen.press("Enter")
    expect(status).to_have_text("Nothing plays")
    screen.press("Ctrl+A")
    screen.page.keyboard.type("next high")
    expect(options.first.locator("kbd")).to_have_text("}")
    look(screen.page, "palette")
    screen.press("Ctrl+A")
    screen.page.keyboard.type("run ")
    first = chosen.inner_text()
    screen.press("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp")
    assert chosen.inner_text() == first
    screen.press("ArrowUp")
    assert chosen.inner_text() != first
    screen.press("Ctrl+A")
    screen.page.keyboard.type("xyzxyz")
    expect(status).to_have_text("No commands")
    screen.press("ArrowDown", "Enter", "Escape")
    expect(screen.timeline).to_be_focused()


def test_what_is_typed_is_gone_to(screen):
    screen.open()
    for text, step, said in (
        ("100", 100, "step 100"),
        ("1,000", STEPS - 1, "step 399"),
        ("50 %", 199.5, "step 199"),
        ("max", 30, "highest: 4 at step 30"),
        ("spike", SPIKE_AT, f"step {SPIKE_AT}: spike"),
    ):
        screen.press("g")
        screen.page.keyboard.type(text)
        screen.press("Enter")
        screen.stands(step=step)
        expect(screen.timeline).to_be_focused()
        screen.says(said)
    screen.press("g")
    where = screen.page.get_by_role("dialog", name="Go to").get_by_role("status")
    expect(where).to_contain_text("For instance 100, 50 %")
    screen.page.keyboard.type("nothing of the kind")
    expect(where).to_have_text("Nothing of that name here")
    look(screen.page, "go-to")
    screen.press("Enter", "Ctrl+A")
    screen.page.keyboard.type("block.2")
    expect(where).to_have_text("layer block.2")
    screen.press("Enter")
    lane = screen.page.locator(".heatmap.a")
    expect(lane).to_be_focused()
    screen.says("block.2, ")
    screen.press("Home")
    screen.says("block.0, ")
    screen.press("End")
    screen.says("block.2, ")
    screen.press("Escape", "g")
    screen.page.keyboard.type("c")
    screen.press("Enter")
    screen.stands(run="c")


def test_landmarks_are_counted_around_the_ends_and_from_the_beginning_of_a_new_run(screen):
    screen.open(step=200)
    screen.press("n")
    screen.says(f"From the start: step {SPIKE_AT}: spike")
    screen.says(", 1 of 1, A, a")
    screen.press("End", "2", "n")
    screen.says(f"step {SPIKE_AT}: spike")
    screen.says(", 1 of 1, B, b")
    expect(screen.status).not_to_contain_text("From the start")


def test_every_key_answers_and_what_is_heard_alone_is_said(screen):
    screen.open()
    screen.press("1")
    screen.says("Already on A, a")
    screen.press("+")
    screen.says("are shown")
    screen.press("Shift+S", "p")
    screen.says("loss 2, alone: a")


def test_the_braille_line_is_read_and_its_caret_is_the_playhead(screen):
    screen.open()
    screen.press("b")
    field = screen.page.get_by_role("textbox", name="in braille")
    line = field.input_value()
    assert len(line) == 40
    assert all("\u2800" <= cell <= "\u28ff" for cell in line)
    caret = "field => field.selectionStart"
    assert field.evaluate(caret) == 5
    screen.press("ArrowRight")
    screen.stands(step=60)
    screen.press("ArrowLeft")
    screen.stands(step=50)
    field.evaluate("field => field.setSelectionRange(20, 20)")  # as a cursor routing key does
    screen.stands(step=200)
    screen.press("n")  # the other keys are the timeline's
    screen.stands(step=SPIKE_AT)
    screen.page.wait_for_function(
        "document.activeElement.selectionStart === Math.floor((120 / 399) * 40)"
    )
    screen.page.keyboard.type("#%")
    assert field.input_value() == line
    look(screen.page, "braille")
    screen.press("b")
    expect(screen.timeline).to_be_focused()


def test_the_last_message_is_read_letter_by_letter(screen):
    screen.open()
    screen.press("n")
    screen.says(f"step {SPIKE_AT}: spike")
    said = screen.status.inner_text().strip()
    screen.press("r")
    field = screen.page.get_by_role("textbox", name="Last message")
    assert field.input_value() == said
    screen.press("Home", "ArrowRight", "ArrowRight")
    assert field.evaluate("field => field.selectionStart") == 2
    screen.page.keyboard.type("nx")
    assert field.input_value() == said
    screen.stands(step=SPIKE_AT)
    screen.press("r")
    expect(screen.timeline).to_be_focused()
