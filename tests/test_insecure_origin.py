"""The tab on plain http, where browsers have neither clipboard nor AudioWorklet.

SONIFY_ORIGIN=insecure runs all other tests there as well.
"""

import io
import wave

from playwright.sync_api import expect

from tests import dashboard
from tests.broken_run import write_pair
from tests.controls import panel, reveal
from tests.serving import insecure


def test_on_plain_http_the_tab_plays_shows_its_link_and_gives_files(serve_once, browser):
    url = insecure(serve_once(write_pair))
    with dashboard.opened(browser, url) as tab:
        links = []
        tab.page.on("dialog", lambda dialog: (links.append(dialog.default_value), dialog.accept()))
        tab.wait_until_ready()

        tab.frame.get_by_role("button", name="Play", exact=True).click()
        tab.wait_for_sound()
        assert tab.frame.evaluate("[isSecureContext, 'clipboard' in navigator]") == [False, False]

        reveal(tab.frame.get_by_role("button", name="Copy link", include_hidden=True)).click()
        expect(tab.frame.get_by_role("button", name="Pause")).to_be_visible()
        (link,) = links
        assert link.startswith(f"{url}#sonify&p.sonify.a=a-broken")

        with tab.page.expect_download() as download:
            panel(tab.frame, "Values").get_by_role("link", name="WAV").click()
        with wave.open(io.BytesIO(download.value.path().read_bytes())) as sound:
            assert sound.getnframes() > sound.getframerate()
