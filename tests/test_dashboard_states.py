"""What the tab and the server say where something is missing or wrong."""

from urllib.error import HTTPError

import pytest
from playwright.sync_api import expect
from torch.utils.tensorboard import SummaryWriter

from tests import dashboard
from tests.dashboard import WAIT_MS, fetch
from tests.serving import served

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """Of a directory with one run, which has scalars only."""
    logdir = tmp_path_factory.mktemp("scalars")
    with SummaryWriter(str(logdir / "plain")) as writer:
        for step in range(10):
            writer.add_scalar("loss", 1 / (step + 1), step)
    with served(logdir) as url:
        yield url


def test_without_runs_the_tab_says_how_to_log_one(browser, tmp_path):
    with served(tmp_path) as url, dashboard.opened(browser, url) as tab:
        frame = tab.page.frame_locator("iframe")
        expect(frame.get_by_role("heading", name="No runs yet")).to_be_visible(timeout=WAIT_MS)
        expect(frame.get_by_text("SonifyWriter", exact=False)).to_be_visible()


def test_with_scalars_alone_the_drawn_one_is_heard_and_the_tab_says_on_which_scale(browser, url):
    with dashboard.opened(browser, url) as tab:
        frame = tab.page.frame_locator("iframe")
        message = frame.get_by_text("linear scale: 0.1 is 110 Hz, 1 is 1,760 Hz")
        expect(message).to_be_visible(timeout=WAIT_MS)
        expect(frame.locator(".curve canvas")).to_be_visible()
        frame.get_by_role("button", name="Play").click()
        tab.wait_for_sound()
        expect(frame.locator(".timeline")).to_have_attribute("data-state", "ended")


@pytest.mark.parametrize(
    ("route", "query", "status", "message"),
    [
        ("signals", {"run": "nobody"}, 404, "nobody"),
        ("coverage", {"run": "nobody"}, 404, "nobody"),
        ("curve", {"run": "nobody", "tag": "loss"}, 404, "nobody"),
        ("curve", {"run": "plain", "tag": "nothing"}, 404, "nothing"),
        ("curve", {"run": "plain"}, 400, "tag"),
        ("curve", {"run": "plain", "tag": "loss", "points": 1}, 400, "from 2 to 20000"),
        ("clip", {"run": "plain", "preset": "smooth", "first_note": 0, "notes": 0}, 400, "notes"),
        ("clip", {"run": "plain", "preset": "loud", "first_note": 0, "notes": 1}, 404, "loud"),
    ],
)
def test_a_bad_request_is_answered_with_what_is_wrong(url, route, query, status, message):
    with pytest.raises(HTTPError) as caught:
        fetch(url, route, **query)
    assert caught.value.code == status
    assert message in caught.value.read().decode()
