"""Each state that runs can be in, as it is shown and said."""

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.dashboard import ALONE, WAIT_MS
from tests.looks import look
from tests.serving import served
from tests.state_runs import NAN_AT, layer_names, write_run, write_scalars


def play(tab):
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()


def test_two_runs_at_rest(show, logdir):
    write_run(logdir / "adam", spike=True)
    write_run(logdir / "sgd", nan_from=NAN_AT, seed=1)
    tab = show()
    expect(
        tab.frame.get_by_role("region", name="Landmarks").get_by_role("button")
    ).not_to_have_count(0)
    look(tab.page, "two-runs", golden=True)


def test_two_runs_playing(show, logdir):
    write_run(logdir / "adam", spike=True)
    write_run(logdir / "sgd", nan_from=NAN_AT, seed=1)
    tab = show()
    tab.frame.get_by_label("Speed").select_option("5")  # so that it is not over too soon
    play(tab)
    expect(tab.frame.get_by_text("Loading sound…")).to_have_count(0, timeout=WAIT_MS)
    look(tab.page, "playing", golden=True, masked=True)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "playing")


@pytest.mark.parametrize(("key", "state"), [("h", "help"), ("o", "options")])
def test_a_dialog_is_open(show, logdir, key, state):
    write_run(logdir / "adam", spike=True)
    tab = show()
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press(key)
    expect(tab.frame.locator("dialog[open]")).to_be_visible()
    look(tab.page, state, golden=True)


def test_without_runs_the_tab_says_how_to_log_one_and_shows_it_when_it_comes(browser, logdir):
    logdir.mkdir()
    with served(logdir) as url, dashboard.opened(browser, url, path=ALONE) as tab:
        expect(tab.page.get_by_role("heading", name="No runs yet")).to_be_visible(timeout=WAIT_MS)
        expect(tab.page.get_by_role("status")).to_contain_text("No runs yet")
        expect(tab.page.get_by_text("SonifyWriter", exact=False)).to_be_visible()
        look(tab.page, "no-runs", golden=True)
        write_run(logdir / "adam")
        expect(tab.page.locator(".curve canvas")).to_be_visible(timeout=60_000)
        look(tab.page, "first-run")


def test_scalars_alone_are_heard_on_a_scale_that_is_named(show, logdir):
    write_scalars(logdir / "plain", "loss", [(step, 1 / (step + 1)) for step in range(10)])
    tab = show()
    expect(tab.frame.get_by_text("linear scale: 0.1 is 110 Hz, 1 is 1,760 Hz")).to_be_visible()
    look(tab.page, "scalars-only", golden=True)
    play(tab)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-state", "ended")


def test_a_run_that_becomes_nan_says_from_where(show, logdir):
    write_run(logdir / "broken", nan_from=NAN_AT)
    tab = show()
    expect(tab.frame.get_by_text(f"NaN at {NAN_AT}").first).to_be_visible(timeout=WAIT_MS)
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("n")
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-step", f"{NAN_AT}.00")
    look(tab.page, "nan-run")


def test_a_run_of_nothing_but_nan_can_be_chosen_heard_and_says_so(show, logdir):
    write_run(logdir / "a-hopeless", nan_from=0, layers=("fc1",))
    write_run(logdir / "b-fine", seed=1)
    tab = show()
    play(tab)
    expect(tab.frame.get_by_text("all NaN").first).to_be_visible(timeout=WAIT_MS)
    expect(tab.frame.locator(".timeline")).to_have_attribute("data-run", "a-hopeless")
    tab.page.keyboard.press("Space")
    look(tab.page, "all-nan-run")


def test_one_run_is_shown_without_a_and_b(show, logdir):
    write_run(logdir / "only")
    tab = show()
    for role, name in (("radio", "Hear"), ("radio", "A:"), ("columnheader", "B")):
        expect(tab.page.get_by_role(role, name=name)).to_have_count(0)
    look(tab.page, "one-run")


def test_of_fifty_runs_a_few_are_drawn_and_all_are_listed(show, logdir):
    for number in range(50):
        write_scalars(
            logdir / f"sweep/lr-{number:02}",
            values=[(s, 2 + number / 50 - s / 400) for s in range(0, 400, 8)],
        )
    write_run(logdir / "sweep/lr-07-b", seed=2)
    write_run(logdir / "sweep/lr-08-b", seed=3)
    tab = show()
    look(tab.page, "fifty-runs")


def test_two_hundred_layers(show, logdir):
    for name, seed in (("a", 0), ("b", 1)):
        write_run(logdir / name, layers=layer_names(200), seed=seed, spike=True)
    tab = show()
    expect(tab.frame.locator(".heatmap canvas").first).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "two-hundred-layers")


def test_a_run_that_was_restarted_earlier_says_so(show, logdir):
    write_run(logdir / "resumed", steps=range(300), session=1_000.0)
    write_run(logdir / "resumed", steps=range(200, 400), seed=2, session=9_000.0)
    tab = show()
    expect(tab.frame.get_by_text("restart").first).to_be_visible(timeout=WAIT_MS)
    look(tab.page, "restarted-run")
