"""What a training run stored, through the data provider of both of TensorBoard's loaders."""

import numpy as np
import pytest
from tensorboard.context import RequestContext
from tensorboard.data.provider import RunTagFilter

from tb_sonify import SonifyWriter
from tb_sonify.schema.block import round_norms
from tb_sonify.schema.metadata import ROWS_TAG, SEGMENTS_TAG, split_session
from tb_sonify.schema.records import Rows, Segment

NORMS = np.exp2(np.random.default_rng(0).uniform(-9, 9, (3000, 2))).astype(np.float32)
CONTEXT = RequestContext()


@pytest.fixture(scope="module")
def logdir(tmp_path_factory):
    logdir = tmp_path_factory.mktemp("logs")
    with SonifyWriter(str(logdir / "run")) as writer:
        for step, (conv, fc) in enumerate(NORMS):
            writer.add_scalar("loss", 1 / (step + 1), step)
            writer.add_norms({"conv": conv, "fc": fc}, step)
    return logdir


def blobs(provider, plugin, tag):
    """Step and bytes of each blob of a tag, of whatever session."""
    arguments = {
        "experiment_id": "",
        "plugin_name": plugin,
        "run_tag_filter": RunTagFilter(runs=["run"]),
    }
    found = provider.read_blob_sequences(CONTEXT, downsample=10_000, **arguments)["run"]
    (series,) = (data for each, data in found.items() if split_session(each)[0] == tag)
    return [
        (datum.step, provider.read_blob(CONTEXT, blob_key=datum.values[0].blob_key))
        for datum in series
    ]


def test_tensorboard_gives_back_every_row_and_segment(logdir, open_client):
    provider = open_client(logdir).provider
    blocks = [Rows.decode(blob) for _, blob in blobs(provider, "sonify", ROWS_TAG)]
    np.testing.assert_array_equal(
        np.concatenate([block.norms for block in blocks]), round_norms(NORMS)
    )
    segments = [
        (step, Segment.decode(blob)) for step, blob in blobs(provider, "sonify", SEGMENTS_TAG)
    ]
    assert [segment.segment for _, segment in segments] == list(range(30))
    assert [step for step, _ in segments] == list(range(0, 3000, 100))


def test_the_stock_tabs_have_norms_loss_and_clips(logdir, open_client):
    client = open_client(logdir)
    tags = client.get("/data/plugin/scalars/tags").json["run"]
    assert set(tags) == {"loss", "grad_norm/conv", "grad_norm/fc"}
    arguments = {"run": "run", "tag": "sonify/smooth", "sample": 0}
    assert len(client.get("/data/plugin/audio/audio", query_string=arguments).json) == 10
    clips = blobs(client.provider, "audio", "sonify/smooth")
    assert all(blob.startswith(b"RIFF") for _, blob in clips)
    assert {step % 100 for step, _ in clips} == {0}
