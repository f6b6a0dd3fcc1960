"""Runs in a notebook: the output of a cell, which needs no server."""

import ast
import html
import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import tb_sonify
from tests.broken_run import write_pair
from tests.dashboard import WAIT_MS
from tests.pages import fresh_page

NOTEBOOK = Path(__file__).parent.parent / "examples" / "notebook.ipynb"
MARKS = "performance.getEntriesByName('sonify:sound')"


@pytest.mark.training
def test_the_example_notebook_runs_and_shows_pages():
    space, shown = {}, []
    for cell in json.loads(NOTEBOOK.read_text())["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert not cell["outputs"], "a notebook is kept without its outputs"
        tree = ast.parse("".join(cell["source"]))
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, NOTEBOOK.name, "exec"), space)
        if last is not None:
            value = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), space)
            shown += [] if value is None else [value]
    assert [type(each).__name__ for each in shown] == ["Page", "Page", "Sound"]
    assert [each.title for each in shown[:2]] == ["calm, hot", "hot"]
    assert all("<iframe srcdoc=" in each._repr_html_() for each in shown[:2])


def test_a_cell_sounds_at_the_first_click_and_asks_for_nothing(tmp_path, browser):
    write_pair(tmp_path / "runs")
    shown = tb_sonify.show(tmp_path / "runs", run="a-broken")
    assert shown.title == "a-broken"
    assert repr(shown).startswith("<tb_sonify page of a-broken, ")
    cell = tmp_path / "notebook.html"
    cell.write_text(f"<!doctype html><title>Notebook</title>{shown._repr_html_()}")
    (document,) = re.findall(r'srcdoc="([^"]*)"', cell.read_text())
    assert html.unescape(document) == shown.html
    with fresh_page(browser) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(cell.as_uri())
        timeline = page.frame_locator("iframe").locator(".timeline")
        expect(timeline).to_have_attribute("aria-label", "Steps 0 to 399", timeout=WAIT_MS)
        timeline.click()
        frame = page.frames[1]
        frame.wait_for_function(f"{MARKS}.length > 0", timeout=WAIT_MS)
        assert [url for url in asked if not url.startswith("data:")] == [cell.as_uri()]
        assert page.title() == "Notebook"


def test_a_page_is_saved_as_a_file_that_plays_from_a_disk(tmp_path, browser):
    write_pair(tmp_path / "runs")
    saved = tmp_path / "page.html"
    tb_sonify.show(tmp_path / "runs").save(saved)
    with fresh_page(browser) as page:
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(saved.as_uri())
        expect(page.locator(".timeline")).to_be_visible(timeout=WAIT_MS)
        page.locator(".timeline").click()
        page.wait_for_function(f"{MARKS}.length > 0", timeout=WAIT_MS)
        assert [url for url in asked if not url.startswith("data:")] == [saved.as_uri()]


def test_what_is_left_out_is_told_and_single_names_need_no_list(tmp_path):
    write_pair(tmp_path / "runs")
    with pytest.warns(UserWarning, match="with 20 MB to fill: .* is from 900 to the end"):
        shown = tb_sonify.show(
            tmp_path / "runs", run="b-calm", presets="calm", quantities="all", steps=(900, None)
        )
    assert shown.title == "b-calm"
    with pytest.raises(ValueError, match="quantity must be one of"):
        tb_sonify.show(tmp_path / "runs", quantities="rate")
