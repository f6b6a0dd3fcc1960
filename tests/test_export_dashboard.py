"""An exported page in a real Chromium: what the tab does, from a plain file server."""

import pytest

from tests.exported import SITE, clips, export, file_server

# The same tests as of the tab, with the fixtures below in the place of a TensorBoard.
from tests.test_dashboard import (  # noqa: F401
    RUNS,
    place,
    scouted,
    tab,
    test_a_click_elsewhere_seeks,
    test_the_other_run_goes_on_at_the_same_step,
    test_the_playhead_is_where_the_sound_is,
    write_runs,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("files")
    write_runs(root / "runs")
    export(root / "runs", root / SITE)
    return root / SITE


@pytest.fixture(scope="module")
def url(site):
    with file_server(site.parents[len(SITE.parts) - 1]) as address:
        yield f"{address}{SITE}/"


@pytest.fixture(scope="module")
def known(site):
    return [clip for run in RUNS for clip in clips(site, run)]
