"""CSV files as other programs write them."""

import numpy as np
import pytest

from tb_sonify import render
from tb_sonify.csv_file import read_csv_file


@pytest.fixture
def table(tmp_path):
    """Reads a file of this text."""

    def read(text):
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return read_csv_file(path)

    return read


FILES = {
    "TensorBoard": (["Wall time,Step,Value", "1571313853.1,1,0.6", "1571313854.2,5,0.5"], [1, 5]),
    "W&B": (['"Step","a - loss","a - loss__MIN"', '"0","2.3","2.2"', '"1","1.9","1.8"'], [0, 1]),
    "W&B by time": (["Relative Time (Wall),a - loss", "0.1,2.3", "7.5,1.9"], [0, 1]),
    "Keras": (["epoch,accuracy,loss", "0,0.5,0.9", "1,0.6,0.7"], [0, 1]),
    "Ultralytics": (["      epoch,  train/box_loss", "   1,   1.2", "   2,   1.1"], [1, 2]),
    "SB3": (["train/loss,time/total_timesteps", ",2048", "0.4,4096"], [2048, 4096]),
    "semicolons": (["Iteration;Loss", "10;0,9", "20;0,7"], [10, 20]),
    "tabs": (["globalStep\tloss", "3\t1", "4\t2"], [3, 4]),
    "text beside": (["epoch,phase,loss", "0,train,1", "1,train,2"], [0, 1]),
    "no steps": (["loss,lr", "1,2", "3,4"], [0, 1]),
}
COLUMNS = {
    "TensorBoard": ["Value"],
    "W&B": ["a - loss", "a - loss__MIN"],
    "W&B by time": ["a - loss"],
    "Keras": ["accuracy", "loss"],
    "Ultralytics": ["train/box_loss"],
    "SB3": ["train/loss"],
    "semicolons": ["Loss"],
    "no steps": ["loss", "lr"],
}


@pytest.mark.parametrize("writer", FILES)
def test_steps_and_values_are_found(table, writer):
    lines, steps = FILES[writer]
    found = table("\n".join(lines))
    assert found.steps.tolist() == steps
    assert list(found.columns) == COLUMNS.get(writer, ["loss"])


def test_rows_of_one_step_become_one(table):
    # Lightning writes training and validation in rows of their own.
    found = table("epoch,step,train_loss,val_loss\n0,49,0.9,\n0,99,0.7,\n0,99,,0.8\n")
    assert found.steps.tolist() == [49, 99]
    assert found.columns["train_loss"].tolist() == [0.9, 0.7]
    assert found.present["val_loss"].tolist() == [False, True]
    assert "epoch" not in found.columns


def test_what_is_not_finite_is_a_value_and_what_is_empty_is_none(table):
    found = table("step,loss\n0,inf\n1,\n2,NaN\n,5\n")
    assert found.steps.tolist() == [0, 1, 2]
    assert np.array_equal(found.columns["loss"], [np.inf, np.nan, 5], equal_nan=True)
    assert found.present["loss"].tolist() == [True, False, True]


def test_an_empty_cell_is_no_point_of_a_scalar(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("step,train_loss,val_loss\n0,2,\n1,1,1.5\n2,0.5,\n")
    assert render(path, tag="train_loss").legend.startswith("metrics, steps 0 to 2, 3 notes")
    assert render(path, tag="val_loss").legend.startswith("metrics, steps 1 to 1, 1 notes")


def test_columns_named_as_norms_are_layers_and_the_others_are_not(tmp_path):
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,loss,grad_norm/conv1,grad_norm/fc\n0,-3,1,1\n1,-2,1,1\n")
    assert render(path).pcm.any()
