"""No violation of WCAG 2.0 A to 2.2 AA, or of best practice, that axe-core can find in the tab."""

from pathlib import Path

import pytest

from tests import dashboard
from tests.broken_run import write_run
from tests.pages import fresh_page
from tests.serving import served

pytestmark = pytest.mark.slow

AXE = Path(__file__).parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHECK = """rules => axe.run({ runOnly: rules }).then(({ violations }) =>
  violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]))"""


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("runs")
    write_run(logdir / "broken", broken=True)
    write_run(logdir / '<b onclick="x">calm</b> \u202e', broken=False)
    with served(logdir) as url:
        yield url


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("keys", [[], ["n", "+", "Space"], ["h"]], ids=["rest", "playing", "help"])
def test_axe_finds_nothing(url, browser, scheme, keys):
    # Without TensorBoard's frame, as somebody with a screen reader may open it.
    # TensorBoard cannot read blobs of a run with quotes in its name.
    with fresh_page(browser, color_scheme=scheme, expected=["status of 400"]) as page:
        page.goto(f"{url}{dashboard.ALONE}")
        page.locator(".events button").first.wait_for(timeout=dashboard.WAIT_MS)
        page.locator(".timeline").focus()
        for key in keys:
            page.keyboard.press(key)
            page.wait_for_timeout(300)
        page.evaluate(AXE.read_text())
        assert page.evaluate(CHECK, RULES) == []
