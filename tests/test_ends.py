"""Runs whose writer was closed: they are not being trained any more."""

import pytest

from tb_sonify import SonifyWriter
from tests import recorded

pytestmark = pytest.mark.usefixtures("prompt_news")


def log(writer, steps):
    for step in steps:
        writer.add_norms({"a": 1.0, "b": 2.0}, step)
        writer.add_scalar("loss", 1.0, step)
    writer.flush()


@pytest.mark.parametrize("rows", [100, 130])  # a whole segment, and one that is ended with the run
def test_a_run_has_ended_when_its_writer_was_closed_until_it_is_resumed(
    tmp_path, open_client, rows
):
    run = str(tmp_path / "run")
    writer = SonifyWriter(run)
    log(writer, range(rows))
    client = open_client(tmp_path)

    def ended():
        client.reload()
        return client.block_of("summaries", tag="loss").arrays["ended"].tolist()

    def news():
        return client.json_of("news", run="run", tag="loss")

    assert ended() == [0]
    before = news()
    writer.close()
    assert ended() == [1]
    after = news()
    assert after["runs"] == before["runs"]
    assert after["states"][0]["points"] == before["states"][0]["points"]
    assert after["states"][0]["norms"] != before["states"][0]["norms"]
    with SonifyWriter(run) as writer:
        log(writer, range(rows, rows + 10))
        assert ended() == [0]
    assert ended() == [1]
    assert client.block_of("coverage", run="run").header["notes"] == rows + 10


def test_a_run_without_rows_says_nothing_of_its_end(tmp_path, open_client):
    with SonifyWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("loss", 1.0, 0)
    assert recorded.tags(tmp_path / "run") == {"loss"}
    (run,) = open_client(tmp_path).json_of("runs")["runs"]
    assert not run["norms"]
