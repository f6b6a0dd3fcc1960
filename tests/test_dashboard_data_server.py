"""TensorBoard's data server is killed while the dashboard plays, and comes back or does not."""

import pytest
from playwright.sync_api import expect

from tests import dashboard
from tests.controls import reveal
from tests.dashboard import WAIT_MS
from tests.data_server import data_server, held_back, started_by_tensorboard
from tests.looks import look
from tests.serving import served
from tests.state_runs import write_run

pytestmark = pytest.mark.server

FAILED = r"status of 50[03]"
NOTES = 1_600  # 50 seconds at the speed of the tests


def play(tab):
    reveal(tab.frame.get_by_label("Speed")).select_option("32")
    tab.frame.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()


def assert_plays_on(tab, *, notes):
    """The playhead moves on by so many notes, and nothing that sounds is cut short."""
    timeline = tab.frame.locator(".timeline")
    before = float(timeline.get_attribute("data-step"))
    starts = tab.report()["starts"]
    moved = f"Number(document.querySelector('.timeline').dataset.step) > {before + notes}"
    tab.frame.wait_for_function(moved, timeout=WAIT_MS)
    assert tab.report()["starts"][: len(starts)] == starts
    expect(timeline).to_have_attribute("data-state", "playing")
    tab.wait_for_sound()


def test_a_data_server_that_is_killed_is_told_what_was_read_plays_on_and_it_recovers(
    browser, logdir
):
    write_run(logdir / "adam", steps=range(NOTES))
    with data_server(logdir) as server:
        option = f"--grpc_data_provider=localhost:{server.port}"
        with (
            served(logdir, option) as url,
            dashboard.opened(browser, url, expected=[FAILED]) as tab,
        ):
            tab.wait_until_ready()
            play(tab)
            alert = tab.frame.locator("[role=alert]")
            server.kill()
            words = f"data server at localhost:{server.port} does not answer"
            expect(alert).to_contain_text(words, timeout=WAIT_MS)
            expect(tab.frame.locator(".curve canvas")).to_be_visible()
            assert_plays_on(tab, notes=100)
            with held_back(logdir / "adam"):
                server.start()
                expect(alert).to_contain_text("reads its logs", timeout=WAIT_MS)
                assert_plays_on(tab, notes=50)
            expect(alert).to_be_empty(timeout=WAIT_MS)
            assert_plays_on(tab, notes=50)


def test_a_data_server_that_tensorboard_does_not_start_again_is_told_with_what_to_do(show, logdir):
    write_run(logdir / "adam", steps=range(NOTES))
    tab = show(expected=[FAILED])
    play(tab)
    started_by_tensorboard(logdir).kill()
    alert = tab.page.locator("[role=alert]")
    expect(alert).to_contain_text("start TensorBoard anew", timeout=WAIT_MS)
    assert_plays_on(tab, notes=100)
    expect(alert).to_contain_text("start TensorBoard anew")
    look(tab.page, "data-server-gone")
    # What is there can still be gone through.
    tab.page.get_by_role("button", name="Pause", exact=True).click()
    tab.page.locator(".timeline").focus()
    tab.page.keyboard.press("Home")
    tab.page.get_by_role("button", name="Play", exact=True).click()
    tab.wait_for_sound()
    expect(tab.page.locator(".timeline")).to_have_attribute(
        "data-state", "playing", timeout=WAIT_MS
    )
