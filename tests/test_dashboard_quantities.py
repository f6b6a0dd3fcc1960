"""Gradients, updates, their ratio to the weights, and weights: chosen, heard, drawn and told."""

import io
import re
import wave
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect

from tb_sonify import SonifyWriter
from tests.controls import panel, reveal
from tests.dashboard import ALONE, WAIT_MS, audible, clips, fetch
from tests.growing import last_step
from tests.looks import look
from tests.pages import fresh_page, wait_until

STEPS = 300
LAYERS = ("conv", "fc")
# Of the first hundred steps; then twice, four times as much. Stored without rounding.
KNOWN = {"gradient": 2.0, "update": 2.0**-7, "weight": 2.0}
# A semitone for each doubling above these is a semitone above 440 Hz.
AT_440_HZ = {"gradient": 1.0, "update": 1.0, "ratio": 0.001, "weight": 1.0}
NAMES = ["Gradients", "Updates", "Update / weight", "Weights"]


def log(writer, step, quantities):
    for quantity in quantities:
        grown = 1 if quantity == "weight" else 2.0 ** (step // 100)
        norms = dict.fromkeys(LAYERS, KNOWN[quantity] * grown)
        writer.add_norms(norms, step, quantity=quantity)
    writer.add_scalar("loss/train", 2.3 * 0.99**step, step)


def write(path, quantities):
    with SonifyWriter(str(path)) as writer:
        for step in range(STEPS):
            log(writer, step, quantities)


def write_measured(logdir):
    write(logdir / "measured", KNOWN)


def write_two(logdir):
    write(logdir / "a-measured", KNOWN)
    write(logdir / "b-plain", ["gradient"])


def write_plain(logdir):
    write(logdir / "plain", ["gradient"])


def choice(tab):
    return tab.page.get_by_label("Quantity")


def offered(tab):
    options = choice(tab).locator("option").all()
    return [option.inner_text() for option in options if option.is_enabled()]


def timeline(tab):
    element = tab.page.locator(".timeline")
    element.focus()
    return element


def says(tab, text):
    expect(tab.page.locator(".status")).to_contain_text(text)


def requests(tab):
    """What is asked of the server from now on, as routes and arguments."""
    asked = []

    def note(request):
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked.append((parts.path.rpartition("/")[2], query))

    tab.page.on("request", note)
    return asked


def peak_hz(url, quantity):
    """The pitch of the first clip, whose notes are all the same."""
    part = {"preset": "single", "first_note": 0, "notes": 90, "quantity": quantity}
    data = fetch(url, "clip", run="measured", **part)
    with wave.open(io.BytesIO(data)) as wav:
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), "<i2").reshape(-1, wav.getnchannels())
        spectrum = np.abs(np.fft.rfft(pcm[:, 0] * np.hanning(len(pcm)), 1 << 18))
        return spectrum.argmax() * wav.getframerate() / (1 << 18)


def test_each_is_heard_at_its_pitch_without_a_gap_and_at_the_same_step(serve_once, open_tab):
    url = serve_once(write_measured)
    known = {
        quantity: clips(url, "measured", quantity=quantity)
        for quantity in ("gradient", "update", "ratio")
    }
    for quantity, value in {**KNOWN, "ratio": 2.0**-8}.items():
        hz = 440 * (value / AT_440_HZ[quantity]) ** (1 / 12)
        assert peak_hz(url, quantity) == pytest.approx(hz, rel=2e-3)

    tab = open_tab(url)
    play = timeline(tab)
    tab.page.keyboard.press("Space")
    tab.wait_for_answer()
    tab.page.keyboard.press("u")
    says(tab, "Hearing updates")
    expect(choice(tab)).to_have_value("update")
    wait_for_clip(tab, known["update"])
    choice(tab).select_option("ratio")
    says(tab, "Hearing update / weight ratios")
    wait_for_clip(tab, known["ratio"])
    expect(play).to_have_attribute("data-state", "playing")

    report = tab.report()
    everything = [clip for each in known.values() for clip in each]
    order = [which(begun, known) for begun in report["starts"]]
    assert list(dict.fromkeys(order)) == ["gradient", "update", "ratio"]
    for after in ("update", "ratio"):
        switch = report["starts"][order.index(after)]["when"]
        before = [{**begun, "end": np.inf} for begun in report["starts"] if begun["when"] < switch]
        assert any(begun["end"] >= switch for begun in report["starts"] if begun["when"] < switch)
        moment = {"now": 0, "performanceTime": 0, "contextTime": switch}
        starts = (before, report["starts"])
        notes = [audible({"starts": each}, moment, everything)[1] for each in starts]
        assert notes[0] == pytest.approx(notes[1], abs=1 / 3)


def wait_for_clip(tab, known):
    wait_until(tab.page, lambda: is_one_of(tab.report()["starts"][-1], known))


def is_one_of(begun, known):
    return any(np.abs(clip.snippet - begun["snippet"]).max() < 1.5 / 32768 for clip in known)


def which(begun, known):
    return next(quantity for quantity, each in known.items() if is_one_of(begun, each))


def test_what_is_asked_for_follows_and_the_place_stays(serve_once, open_tab):
    tab = open_tab(serve_once(write_measured))
    page, asked = tab.page, requests(tab)
    play = timeline(tab)
    for key in ("Control+ArrowRight", "+", "+"):
        page.keyboard.press(key)
    step, seen = play.get_attribute("data-step"), tab.seen()
    panel(page, "Layers")
    expect(choice(tab).locator("option")).to_have_text(NAMES)
    assert offered(tab) == NAMES

    timeline(tab)
    page.keyboard.press("u")
    tab.rest()
    asked.clear()
    page.keyboard.press("u")
    tab.rest()
    assert (play.get_attribute("data-step"), tab.seen()) == (step, seen)
    routes = {route for route, query in asked if query.get("quantity") == "ratio"}
    assert routes >= {"coverage", "clip", "notes", "heatmap", "layers", "landmarks"}
    assert not [route for route, query in asked if query.get("quantity") not in ("ratio", None)]
    for said in ("weights", "gradients", "updates", "update / weight ratios"):
        page.keyboard.press("u")
        says(tab, f"Hearing {said}")


def test_all_that_is_said_and_drawn_follows(serve_once, open_tab):
    url = serve_once(write_measured)
    tab = open_tab(url)
    page = tab.page
    choice(tab).select_option("ratio")
    values = panel(page, "Values")
    norms = values.get_by_role("region", name="Update / weight ratios by layer")
    expect(norms.get_by_role("row", name="fc")).to_contain_text("3.91e−3")
    expect(norms.get_by_role("columnheader", name="Ratio")).to_be_visible()
    expect(page.get_by_label("What the colours mean")).to_contain_text(
        "Largest update / weight ratio 0.001"
    )
    expect(page.get_by_role("application", name="Update / weight ratios of")).to_be_visible()
    for name in ("numbers (CSV)", "sound (WAV)"):
        assert "quantity=ratio" in values.get_by_role("link", name=name).get_attribute("href")
    layers = panel(page, "Layers").get_by_role("region", name="Update / weight ratios of layers")
    expect(layers.get_by_role("row", name="conv")).to_contain_text("3.91e−3")
    expect(reveal(page.get_by_label("Reference tone at ratio 0.001"))).to_be_enabled()
    header = fetch(url, "coverage", run="measured", quantity="ratio")
    assert b'"at_440_hz":0.001' in header.replace(b" ", b"")
    panel(page, "Table")
    expect(page.get_by_role("columnheader", name="Largest update / weight ratio")).to_be_visible()
    lane = page.locator(".heatmap.a")
    lane.focus()
    page.keyboard.press("ArrowDown")
    says(tab, "fc, 3.91e−3")
    page.keyboard.press("d")
    words = page.get_by_role("dialog", name="Description")
    expect(words).to_contain_text("update / weight of the early layers")
    expect(words).to_contain_text("Of the layers, the update / weight ratios.")
    page.keyboard.press("Escape")
    look(page, "ratios")
    page.set_viewport_size({"width": 360, "height": 780})
    expect(page.get_by_label("What the colours mean")).to_be_visible()
    look(page, "ratios-narrow")


def test_a_run_without_updates_keeps_gradients_and_says_so(serve_once, open_tab):
    url = serve_once(write_plain)
    tab = open_tab(url, path=f"{ALONE}#p.sonify.quantity=ratio")
    expect(choice(tab)).to_have_value("gradient")
    assert offered(tab) == ["Gradients"]
    expect(choice(tab).locator("option").nth(1)).to_have_text("Updates (not in this run)")
    expect(
        tab.page.get_by_text("No update / weight ratios here: gradients are heard")
    ).to_be_visible()
    timeline(tab)
    tab.page.keyboard.press("u")
    says(tab, "There are gradients only. Updates and weights are measured by watch")
    tab.page.keyboard.press("Space")
    tab.wait_for_answer()
    look(tab.page, "no-ratios")


def test_of_two_runs_the_one_without_updates_is_silent_and_that_is_said(serve_once, open_tab):
    tab = open_tab(serve_once(write_two), path=f"{ALONE}#p.sonify.a=b-plain&p.sonify.b=a-measured")
    page, asked = tab.page, requests(tab)
    play = timeline(tab)
    page.keyboard.press("Space")
    tab.wait_for_answer()
    page.keyboard.press("u")
    says(tab, "Hearing updates. A, b-plain has no update norms")
    expect(play).to_have_attribute("data-state", "paused")
    tab.wait_for_sound(silence=True)
    assert offered(tab)[1] == "Updates (not in A)"
    expect(page.locator(".heatmap.a")).to_have_count(0)
    expect(page.locator(".heatmap.b")).to_be_visible()
    expect(page.get_by_text("b-plain has no update norms: it is silent")).to_be_visible()
    page.keyboard.press("Space")
    says(tab, "has no update norms: there is nothing to hear")
    step = play.get_attribute("data-step")
    page.keyboard.press("d")
    expect(page.get_by_role("dialog", name="Description")).to_contain_text("has no update norms")
    page.keyboard.press("Escape")

    timeline(tab)
    page.keyboard.press("3")  # both at once: B alone, with no run that has nothing
    expect(play).to_have_attribute("data-run", "a-measured")
    says(tab, "Hearing B, a-measured. A, b-plain has no update norms")
    assert play.get_attribute("data-step") == step
    page.keyboard.press("Space")
    tab.wait_for_answer()
    updates = [query for _, query in asked if query.get("quantity") == "update"]
    assert {query["run"] for query in updates} == {"a-measured"}
    look(page, "one-without-updates")
    page.keyboard.press("Shift+U")  # nothing of ours is on that key with the other
    for _ in range(3):
        page.keyboard.press("u")
    says(tab, "Hearing gradients")
    expect(play).to_have_attribute("data-run", "b-plain")
    expect(play).to_have_attribute("data-state", "playing")


def test_it_is_in_the_link_and_remembered_and_old_links_are_of_gradients(serve_once, browser):
    url = serve_once(write_measured)
    with fresh_page(browser) as page:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        links = []
        page.on("dialog", lambda dialog: (links.append(dialog.default_value), dialog.accept()))

        def opened(address, value):
            page.goto("about:blank")
            page.goto(address)
            page.locator(".blocks .here").first.wait_for(timeout=WAIT_MS)
            expect(page.get_by_label("Quantity")).to_have_value(value)

        def link():
            reveal(page.get_by_role("button", name="Copy link", include_hidden=True)).click()
            wait_until(page, lambda: links)
            return links.pop()

        opened(f"{url}{ALONE}", "gradient")
        old = link()
        assert "quantity" not in old
        page.locator(".timeline").focus()
        page.keyboard.press("u")
        new = link()
        assert "p.sonify.quantity=update" in new
        opened(f"{url}{ALONE}", "update")
        opened(old, "gradient")
        opened(f"{url}{ALONE}#p.sonify.step=3", "gradient")
        opened(f"{url}{ALONE}#p.sonify.quantity=pressure", "gradient")
        opened(new, "update")


def test_of_a_live_run_updates_can_be_chosen_when_they_come_and_grow(show, logdir):
    with SonifyWriter(str(logdir / "live")) as writer:

        def train(steps, quantities):
            for step in steps:
                log(writer, step, quantities)
            writer.flush()

        train(range(100), ["gradient"])
        tab = show()
        assert offered(tab) == ["Gradients"]
        train(range(100, 200), KNOWN)
        wait_until(tab.page, lambda: offered(tab) == NAMES)
        timeline(tab)
        tab.page.keyboard.press("u")
        says(tab, "Hearing updates")
        tab.rest()
        asked = requests(tab)
        train(range(200, 300), KNOWN)
        wait_until(tab.page, lambda: last_step(tab) == 299)
        wait_until(
            tab.page,
            lambda: (
                {(route, query["quantity"]) for route, query in asked if "quantity" in query}
                >= {("coverage", "update"), ("heatmap", "update"), ("landmarks", "update")}
            ),
        )
        tab.page.keyboard.press("End")
        norms = panel(tab.page, "Values").get_by_role("region", name="Update norms by layer")
        expect(norms.get_by_role("row", name="fc")).to_contain_text("0.03125")


def write_parting(logdir):
    for name, factor in (("a", 1.0), ("b", 2.0)):
        with SonifyWriter(str(logdir / name)) as writer:
            for step in range(STEPS):
                writer.add_norms(dict.fromkeys(LAYERS, 1.0), step)
                loss = 2.3 * 0.99**step
                writer.add_scalar("loss/train", loss if step < 150 else factor * loss, step)


def test_where_two_runs_part_is_a_landmark_of_the_second(serve_once, open_tab):
    tab = open_tab(serve_once(write_parting))
    landmarks = panel(tab.page, "Landmarks")
    expect(landmarks.get_by_role("button")).to_have_text(
        re.compile(r"B.*loss/train of the two runs parts.*, against a"), timeout=WAIT_MS
    )
