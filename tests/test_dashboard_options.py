"""Options: keys of one's own, speech, output; kept between visits, whatever is in the storage."""

import pytest
from playwright.sync_api import expect

from tests.screen import SPIKE_AT, opened_screen, write_three_runs

SAY_POSITION = "Say where the playhead is"
BLOCKED = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("blocked", "SecurityError"); } });"""


@pytest.fixture(scope="module")
def url(serve_once):
    return serve_once(write_three_runs)


@pytest.fixture
def screen(url, browser):
    with opened_screen(browser, url) as screen:
        screen.open()
        yield screen


def options(screen):
    screen.press("o")
    dialog = screen.page.get_by_role("dialog", name="Options")
    expect(dialog).to_be_visible()
    return dialog


def close(screen):
    screen.press("Escape")
    expect(screen.timeline).to_be_focused()


def change(screen, dialog, command, chord):
    """Bind a command by the keyboard alone."""
    dialog.get_by_role("button", name=f"Change: {command}").focus()
    screen.press("Enter", chord)


def test_a_key_of_ones_own_survives_a_reload_and_is_in_the_help(screen):
    dialog = options(screen)
    change(screen, dialog, SAY_POSITION, "k")
    expect(dialog.get_by_role("status")).to_have_text(f"K: {SAY_POSITION}")
    close(screen)
    screen.open()
    screen.press("p")
    expect(screen.status).to_have_text("")
    screen.press("k")
    screen.says("step 50")
    screen.press("h")
    row = screen.page.get_by_role("dialog", name="Keys").get_by_role("row", name=SAY_POSITION)
    expect(row.locator("kbd")).to_have_text(["K"])


def test_a_key_that_is_taken_is_named_and_changes_hands_only_when_told_to(screen):
    dialog = options(screen)
    change(screen, dialog, SAY_POSITION, "n")
    expect(dialog.get_by_role("status")).to_have_text(
        "N is taken: To the next landmark, and say it"
    )
    screen.press("Escape")  # leaves the key as it is
    close(screen)
    screen.press("n")
    screen.stands(step=SPIKE_AT)

    dialog = options(screen)
    change(screen, dialog, SAY_POSITION, "n")
    screen.press("Tab", "Enter")  # on "Take N"
    expect(dialog.get_by_role("button", name=f"Change: {SAY_POSITION}")).to_be_focused()
    close(screen)
    screen.press("Home", "n")
    screen.stands(step=0)
    screen.says("a, step 0")

    dialog = options(screen)
    dialog.get_by_role("button", name="Reset all keys").focus()
    screen.press("Enter")
    close(screen)
    screen.press("n")
    screen.stands(step=SPIKE_AT)


def test_escape_leaves_a_key_as_it_is_and_the_dialog_open(screen):
    dialog = options(screen)
    change(screen, dialog, SAY_POSITION, "Escape")
    expect(dialog.get_by_role("status")).to_have_text("Nothing has changed")
    expect(dialog).to_be_visible()
    change(screen, dialog, SAY_POSITION, "Ctrl+w")
    expect(dialog.get_by_role("status")).to_contain_text("the browser keeps that key")
    screen.press("Escape")
    close(screen)
    screen.press("p")
    screen.says("step 50")


def test_one_command_can_be_reset(screen):
    dialog = options(screen)
    change(screen, dialog, SAY_POSITION, "k")
    dialog.get_by_role("button", name=f"Reset: {SAY_POSITION}").focus()
    screen.press("Enter")
    close(screen)
    screen.press("p")
    screen.says("step 50")


def test_single_letters_can_be_turned_off(screen):
    dialog = options(screen)
    dialog.get_by_label("Single-key shortcuts").focus()
    screen.press("Space")
    close(screen)
    screen.open()
    screen.press("n", "x", "2", "+", "Shift+n", "[")
    screen.stands(step=50, run="a")
    expect(screen.page.locator("#timeline-description")).to_contain_text("Ctrl+/ lists all keys")
    screen.press("Ctrl+,")
    expect(screen.page.get_by_role("dialog", name="Options")).to_be_visible()


def test_with_the_keys_of_maidr_space_replays_and_ctrl_goes_to_the_ends(screen):
    options(screen).get_by_label("Shortcut set").select_option("maidr")
    close(screen)
    screen.open()
    screen.press("Ctrl+ArrowRight")
    screen.stands(step=399)
    screen.press("Ctrl+ArrowDown")
    screen.stands(step=250)
    screen.press("PageUp")
    screen.stands(run="b")
    screen.press("Space")
    screen.stands(state="playing")
    screen.stands(state="paused", step=250)


def test_with_the_keys_of_a_media_player_k_plays_and_j_and_l_skip(screen):
    options(screen).get_by_label("Shortcut set").select_option("media")
    close(screen)
    screen.press("l")
    screen.stands(step=89.9)
    screen.press("j")
    screen.stands(step=50)
    screen.press("k")
    screen.stands(state="playing")


def test_speech_and_output_are_kept(screen):
    dialog = options(screen)
    dialog.get_by_label("every 10 %").check()
    dialog.get_by_label("Lower the sound while speaking").check()
    dialog.get_by_label("Mono").check()
    delay = dialog.get_by_label("Delay of the output")
    for given, kept in (("9999", "500"), ("-999", "-200"), ("", "0"), ("180", "180")):
        delay.fill(given)
        delay.blur()
        expect(delay).to_have_value(kept)
    close(screen)
    screen.open()
    dialog = options(screen)
    for name in ("every 10 %", "Lower the sound while speaking", "Mono"):
        expect(dialog.get_by_label(name)).to_be_checked()
    expect(dialog.get_by_label("Delay of the output")).to_have_value("180")


def test_the_sound_gives_way_to_speech(url, browser):
    gains = """const { setTargetAtTime } = AudioParam.prototype;
    window.targets = [];
    AudioParam.prototype.setTargetAtTime = function (value, when, ...more) {
      window.targets.push([value, when]);
      return setTargetAtTime.call(this, value, when, ...more);
    };"""
    with opened_screen(browser, url) as screen:
        screen.page.add_init_script(gains)
        screen.open()
        options(screen).get_by_label("Lower the sound while speaking").check()
        close(screen)
        screen.press("Space")
        screen.stands(state="playing")
        screen.page.evaluate("window.targets.length = 0")
        screen.press("p")
        screen.page.wait_for_function("window.targets.length > 1")
        (dip, back) = screen.page.evaluate("window.targets")
        assert dip[0] == 0.25
        assert back[0] == 1
        assert back[1] - dip[1] == pytest.approx(0.6)


@pytest.mark.parametrize("trouble", ["blocked", "garbage"])
def test_whatever_is_in_the_storage_the_tab_works(url, browser, trouble):
    with opened_screen(browser, url) as screen:
        if trouble == "blocked":
            screen.page.add_init_script(BLOCKED)
        else:
            names = ("keys", "verbosity", "delay", "mono", "quieter", "volume", "preset")
            items = "".join(f"localStorage['tb_sonify.{name}'] = '{{]\\u0000';" for name in names)
            screen.page.add_init_script(f"if (location.hash) {{ {items} }}")
        screen.open()
        screen.press("n")
        screen.stands(step=SPIKE_AT)
        dialog = options(screen)
        expect(dialog.get_by_label("what happens")).to_be_checked()
        dialog.get_by_label("Shortcut set").select_option("media")
        close(screen)
        screen.press("k")
        screen.stands(state="playing")


def test_what_the_keys_go_to_is_in_a_menu_too(screen):
    menu = screen.page.get_by_role("button", name="More", exact=True)
    menu.focus()
    screen.press("Enter")
    for name, step in (("Highest value", 30), ("Lowest value", 250), ("Last step", 399)):
        screen.page.get_by_role("button", name=name, exact=True).focus()
        screen.press("Enter")
        screen.stands(step=step)
    screen.press("Escape")
    expect(menu).to_be_focused()
    expect(screen.page.get_by_role("button", name="Last step")).to_be_hidden()
