"""The example of each trainer trains, and its run can be read, and heard in the dashboard."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests import dashboard, recorded
from tests.client import opened_client
from tests.commands import tb_sonify_here
from tests.controls import panel
from tests.serving import served

pytestmark = pytest.mark.training

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPTS = Path(__file__).parent / "scripts"
STEPS = 24
# By example: the run that it makes, its loss, its first step, one of its layers.
TRAINERS = {
    "lightning": ("adam", "loss/train", 0, "encoder.0"),
    "fabric": ("sgd", "loss/train", 0, "2"),
    "huggingface": ("adam", "train/loss", 1, "transformer.h.0.mlp.c_fc"),
    "accelerate": ("adam", "loss/train", 0, "2"),
    "keras": ("adam", "loss", 0, "second"),
    "tensorboardx": ("sgd", "loss/train", 0, "2"),
}
# Those that import the same framework, which takes longer than to train, run in one process.
PROCESSES = (("lightning", "fabric"), ("huggingface", "accelerate"), ("keras",), ("tensorboardx",))
TRAIN = """
import runpy, sys
_, steps, examples, *trainers = sys.argv
for trainer in trainers:
    script = f"{examples}/train_{trainer}.py"
    sys.argv = [script, "--steps", steps, "--logdir", f"logs/{trainer}"]
    runpy.run_path(script, run_name="__main__")
"""


def test_every_example_of_a_trainer_is_tested_and_short():
    examples = {path.stem.removeprefix("train_"): path for path in EXAMPLES.glob("train_*.py")}
    assert set(examples) == set(TRAINERS) == {each for process in PROCESSES for each in process}
    assert max(len(path.read_text().splitlines()) for path in examples.values()) <= 60


@pytest.fixture(scope="module")
def logdir(fork_server, tmp_path_factory):
    """The runs of all examples, and one of `tb-sonify run`, each in a directory of its own."""
    root = tmp_path_factory.mktemp("examples")
    for trainers in PROCESSES:
        ended = fork_server.run(TRAIN, STEPS, EXAMPLES, *trainers, directory=root)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    options = [SCRIPTS / "plain.py", "--log-dir", "logs/run/plain"]
    status, output, errors = fork_server.tb_sonify_run(*options, directory=root)
    assert status == 0, output + errors
    return root / "logs"


@pytest.fixture(scope="module")
def url(logdir):
    with served(logdir) as url:
        yield url


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_example_trains_and_its_run_can_be_read_and_heard(trainer, logdir):
    run, loss, first_step, layer = TRAINERS[trainer]
    described = tb_sonify_here("describe", "--json", logdir / trainer).stdout
    (description,) = json.loads(described)["runs"]
    assert description["run"] == run
    assert (description["first_step"], description["last_step"]) == (
        first_step,
        first_step + STEPS - 1,
    )
    assert description["loss"]["tag"] == loss

    with opened_client(logdir / trainer, "fast") as client:
        coverage = client.block_of("coverage", run=run).header
        assert coverage["notes"] == STEPS
        assert layer in coverage["layers"]
        assert coverage["missing"] == []
        clip = client.sonify("clip", run=run, preset="smooth", first_note=0, notes=STEPS)
        assert clip.status_code == 200
        assert clip.headers["X-Sonify-Notes"] == str(STEPS)
        assert clip.headers["X-Sonify-Source"] == "logged"
        curve = client.block_of("curve", run=run, tag=loss)
        assert curve.arrays


@pytest.mark.parametrize("trainer", [*TRAINERS, "run"])
def test_the_run_of_an_example_plays_in_the_dashboard(trainer, logdir, url, browser):
    name, loss, first_step, layer = {**TRAINERS, "run": ("plain", "loss/train", 0, "conv1")}[
        trainer
    ]
    run = f"{trainer}/{name}"
    link = urlencode({"p.sonify.a": run, "p.sonify.tag": loss})
    with dashboard.opened(browser, url, path=f"{dashboard.ALONE}#{link}") as tab:
        tab.wait_until_ready()
        place = tab.place()
        tab.page.mouse.click(place.x(first_step + 3), place.y)
        tab.wait_for_sound()
        timeline = tab.frame.locator(".timeline")
        expect(timeline).to_have_attribute("data-run", run)
        expect(timeline).to_have_attribute("data-state", "ended", timeout=dashboard.WAIT_MS)

        timeline.focus()
        tab.page.keyboard.press("Home")
        tab.page.keyboard.press("ArrowRight")
        step = first_step + 1
        expect(timeline).to_have_attribute("data-step", f"{step:.2f}")
        panel(tab.frame, "Values")
        values = tab.frame.get_by_role("region", name="At the playhead")
        last = recorded.scalars(logdir / run, loss)[-1][0]  # the other run may go on
        expect(values).to_contain_text(f"step {step} of {last}")
        norms = tab.frame.get_by_role("region", name="Gradient norms by layer")
        for table, of, tag, rel in (
            (values, run, loss, 1e-3),
            (norms, layer, f"grad_norm/{layer}", 0.005),
        ):
            header = tab.frame.locator(f"th:has([title='{of}'])")
            shown = table.locator("tr").filter(has=header).locator("td.number").inner_text()
            logged = dict(recorded.scalars(logdir / run, tag))[step]
            assert float(shown.replace("−", "-")) == pytest.approx(logged, rel=rel)
