"""Hugging Face, Accelerate, Keras and tensorboardX in real trainings."""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests import recorded
from tests.frameworks import ROOT, trained
from tests.test_lightning import assert_norms

pytestmark = pytest.mark.training

HUGGING_FACE = """
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from transformers import BertConfig, BertForSequenceClassification
    from tb_sonify.integrations.huggingface import SonifyCallback
    config = BertConfig(vocab_size=30, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
                        intermediate_size=32, max_position_embeddings=12)
    tokens = torch.randint(30, (64, 10))
    data = [{"input_ids": row, "labels": row[0] % 2} for row in tokens]
    class Reference(TrainerCallback):
        def on_pre_optimizer_step(self, args, state, control, model=None, **others):
            expected.append(norms(model))
    def trainer(model, callback, **options):
        arguments = TrainingArguments(
            "out", per_device_train_batch_size=4, use_cpu=True, save_strategy="no",
            logging_steps=2, max_grad_norm=0.3, gradient_accumulation_steps=2, **options,
        )
        return Trainer(model, arguments, train_dataset=data, eval_dataset=data[:8],
                       callbacks=[Reference(), callback])
    """


def test_the_callback_of_hugging_face_has_the_steps_of_its_trainer(tmp_path):
    script = """
    model = BertForSequenceClassification(config)
    callback = SonifyCallback("run", exclude="bert.pooler*")
    trainer(model, callback, max_steps=12, report_to="none", eval_strategy="steps", eval_steps=6,
            learning_rate=1e-2).train()
    for row in expected:
        row.pop("bert.pooler.dense")
    done()
    """
    trained(tmp_path, HUGGING_FACE + script)
    run = tmp_path / "run"
    assert_norms(tmp_path, run, first_step=1)
    assert [step for step, _ in recorded.scalars(run, "train/loss")] == [2, 4, 6, 8, 10, 12]
    assert [step for step, _ in recorded.scalars(run, "eval/loss")] == [6, 12]
    (block,) = recorded.rows(run)
    assert not [layer for layer in block.layers if "pooler" in layer]


def test_the_run_of_hugging_face_is_where_its_own_callback_would_log(tmp_path):
    script = """
    model = BertForSequenceClassification(config)
    trainer(model, SonifyCallback(), max_steps=4, report_to="none").train()
    """
    trained(tmp_path, HUGGING_FACE + script)
    (run,) = (tmp_path / "out" / "runs").iterdir()
    assert recorded.steps_and_norms(run)[0] == [1, 2, 3, 4]
    trained(tmp_path, HUGGING_FACE + script, TENSORBOARD_LOGGING_DIR=str(tmp_path / "chosen"))
    assert recorded.steps_and_norms(tmp_path / "chosen")[0] == [1, 2, 3, 4]


def test_the_tracker_of_accelerate_logs_and_watches(tmp_path):
    script = """
    from accelerate import Accelerator
    from tb_sonify.integrations.accelerate import SonifyTracker
    tracker = SonifyTracker("run", ".", presets=["single"])
    accelerator = Accelerator(log_with=tracker, gradient_accumulation_steps=3, cpu=True,
                              mixed_precision="bf16")
    accelerator.init_trackers("project", config={"lr": 0.1, "name": "a|b"})
    assert accelerator.get_tracker("sonify") is tracker
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    plain = torch.optim.SGD(model.parameters(), lr=0.1)
    plain.register_step_pre_hook(lambda *_: expected.append(norms(model)))
    model, optimizer = accelerator.prepare(model, plain)
    tracker.watch(model, optimizer)
    for batch in range(30):
        with accelerator.accumulate(model):
            loss = model(torch.randn(4, 4)).square().mean()
            accelerator.backward(loss)
            optimizer.step()
            optimizer.zero_grad()
        if accelerator.sync_gradients:
            accelerator.log({"loss": loss.item(), "note": "text", "both": {"a": 1.0}}, batch // 3)
    accelerator.end_training()
    done()
    """
    trained(tmp_path, script)
    assert_norms(tmp_path, tmp_path / "run")
    assert [step for step, _ in recorded.scalars(tmp_path / "run", "loss")] == list(range(10))
    assert recorded.tags(tmp_path / "run") >= {
        "configuration/text_summary",
        "note/text_summary",
        "sonify/single",
    }


KERAS = """
    import keras, numpy as np
    from keras import layers
    from tb_sonify.integrations.keras import SonifyCallback
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        layers.Input((4,)),
        layers.Dense(8, activation="tanh", name="first"),
        keras.Sequential([layers.Dense(6), layers.Dense(5)], name="middle"),
        layers.Dense(1, name="head"),
    ])
    inputs = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    labels = inputs.sum(axis=1)
    """


def test_the_callback_of_keras_hears_the_gradients_of_its_torch_backend(tmp_path):
    script = """
    class Recording(keras.optimizers.SGD):
        def apply(self, gradients, variables=None):
            row = {}
            for gradient, variable in zip(gradients, variables):
                name = variable.path.rpartition("/")[0].removeprefix("sequential/")
                row.setdefault(name.replace("/", "."), []).append(gradient.double().flatten())
            expected.append({name: torch.cat(g).norm().item() for name, g in row.items()})
            return super().apply(gradients, variables)
    model.layers[0].trainable = sys.argv[1] != "frozen"
    model.compile(optimizer=Recording(0.05, loss_scale_factor=None), loss="mse", metrics=["mae"])
    model.fit(inputs, labels, batch_size=8, epochs=2, verbose=0, validation_split=0.25,
              callbacks=[SonifyCallback("run")])
    done()
    """
    for case in ("all", "frozen"):
        directory = tmp_path / case
        directory.mkdir()
        trained(directory, KERAS + script, case, KERAS_BACKEND="torch")
        assert_norms(directory, directory / "run")
        assert len(recorded.scalars(directory / "run", "loss")) == 12
        assert [s for s, _ in recorded.scalars(directory / "run", "val_loss")] == [5, 11]
    expected = json.loads((tmp_path / "all" / "expected.json").read_text())
    assert len(expected[0]) == 4
    assert len(json.loads((directory / "expected.json").read_text())[0]) == 3


def test_keras_has_no_part_in_norms_that_its_loss_scale_has(tmp_path):
    script = """
    for scale in (None, 64.0):
        keras.utils.set_random_seed(0)
        clone = keras.models.clone_model(model)
        clone.compile(optimizer=keras.optimizers.SGD(0.05, loss_scale_factor=scale), loss="mse")
        clone.fit(inputs, labels, batch_size=8, shuffle=False, verbose=0,
                  callbacks=[SonifyCallback(f"run{scale}", every=2)])
    """
    trained(tmp_path, KERAS + script, KERAS_BACKEND="torch")
    steps, plain = recorded.steps_and_norms(tmp_path / "runNone")
    assert steps == [0, 2, 4, 6]
    np.testing.assert_allclose(recorded.steps_and_norms(tmp_path / "run64.0")[1], plain, rtol=0.01)


def test_with_another_backend_of_keras_its_metrics_are_logged_and_a_warning_says_so(tmp_path):
    # A real training, by a Keras that says that its backend is another: none is installed here.
    script = """
    import warnings
    keras.backend.backend = lambda: "jax"
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(inputs, labels, batch_size=8, epochs=2, verbose=0, validation_split=0.25,
                  callbacks=[SonifyCallback("run")])
    said = [str(each.message) for each in caught if "gradients are heard" in str(each.message)]
    assert said == ["gradients are heard with Keras' torch backend, and this one is 'jax': "
                    "only metrics are logged"], said
    """
    trained(tmp_path, KERAS + script, KERAS_BACKEND="torch")
    assert len(recorded.scalars(tmp_path / "run", "loss")) == 12
    assert [step for step, _ in recorded.scalars(tmp_path / "run", "val_loss")] == [5, 11]
    assert "sonify/rows" not in recorded.tags(tmp_path / "run")


def test_any_writer_is_given_norms_and_clips(tmp_path):
    script = """
    from tb_sonify.integrations.adapter import SonifyAdapter
    class Tracker:
        def __init__(self):
            self.scalars, self.clips = [], []
        def add_scalar(self, tag, value, step):
            self.scalars.append((tag, value, step))
        def add_audio(self, tag, samples, step, sample_rate):
            self.clips.append((tag, samples, step, sample_rate))
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    tracker = Tracker()
    sonify = SonifyAdapter(tracker)
    sonify.watch(model, optimizer)
    for step in range(120):
        optimizer.zero_grad()
        model(torch.randn(4, 4)).square().mean().backward()
        expected.append(norms(model))
        optimizer.step()
    sonify.close()
    logged = {(tag, step): value for tag, value, step in tracker.scalars}
    for step, row in enumerate(expected):
        for name, norm in row.items():
            assert abs(logged[f"grad_norm/{name}", step] - norm) <= 1e-5 * norm
    assert [(tag, step, rate) for tag, _, step, rate in tracker.clips] == [
        ("sonify/smooth", 0, 24_000), ("sonify/smooth", 100, 24_000)]
    for _, clip, _, _ in tracker.clips:
        assert clip.shape[0] == 1 and 0.01 < clip.abs().max() <= 1
    try:
        SonifyAdapter(object())
    except TypeError as error:
        assert str(error) == "writer must have add_scalar and add_audio, got object"
    else:
        raise AssertionError
    assert not [name for name in os.listdir() if name not in ("script.py", "expected.json")]
    """
    trained(tmp_path, script)


def test_the_adapter_has_its_old_name_with_a_warning():
    from tb_sonify.integrations import adapter, beside

    with pytest.warns(
        DeprecationWarning, match=r"use tb_sonify\.integrations\.adapter\.SonifyAdapter"
    ):
        assert beside.SonifyBeside is adapter.SonifyAdapter
    assert not hasattr(beside, "SonifyAside")


@pytest.mark.parametrize(
    ("module", "packages", "extra"),
    [
        ("lightning", "lightning pytorch_lightning", "lightning"),
        ("fabric", "lightning lightning_fabric pytorch_lightning", "lightning"),
        ("huggingface", "transformers", "huggingface"),
        ("accelerate", "accelerate", "accelerate"),
        ("keras", "keras", "keras"),
    ],
)
def test_without_its_framework_an_integration_names_the_extra(module, packages, extra):
    script = f"""
import sys
for package in {packages.split()}:
    sys.modules[package] = None
import tb_sonify.integrations.{module}
"""
    command = [sys.executable, "-c", script]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert f'pip install "tb-sonify[{extra}]"' in result.stderr.splitlines()[-1]
