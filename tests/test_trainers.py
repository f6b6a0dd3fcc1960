"""Hugging Face, Accelerate, Keras and tensorboardX in real trainings."""

import json

import numpy as np
import pytest

from tests import recorded
from tests.frameworks import trained
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


@pytest.fixture(scope="module")
def hugging_face(fork_server, tmp_path_factory):
    """The directory of both trainings by Hugging Face's trainer."""
    directory = tmp_path_factory.mktemp("huggingface")
    scripts = {"steps": STEPS, "places": PLACES, "interrupted": INTERRUPTED}
    scripts = {name: HUGGING_FACE + script for name, script in scripts.items()}
    trained(fork_server, directory, scripts)
    return directory


STEPS = """
    model = BertForSequenceClassification(config)
    callback = SonifyCallback("run", exclude="bert.pooler*")
    trainer(model, callback, max_steps=12, report_to="none", eval_strategy="steps", eval_steps=6,
            learning_rate=1e-2).train()
    for row in expected:
        row.pop("bert.pooler.dense")
    done()
    """


def test_the_callback_of_hugging_face_has_the_steps_of_its_trainer(hugging_face):
    run = hugging_face / "steps" / "run"
    assert_norms(run.parent, run, first_step=1)
    assert [step for step, _ in recorded.scalars(run, "train/loss")] == [2, 4, 6, 8, 10, 12]
    assert [step for step, _ in recorded.scalars(run, "eval/loss")] == [6, 12]
    assert not [layer for layer in recorded.all_rows(run).layers if "pooler" in layer]


PLACES = """
    model = BertForSequenceClassification(config)
    trainer(model, SonifyCallback(), max_steps=4, report_to="none").train()
    os.environ["TENSORBOARD_LOGGING_DIR"] = os.path.abspath("chosen")
    model = BertForSequenceClassification(config)
    trainer(model, SonifyCallback(), max_steps=4, report_to="none").train()
    del os.environ["TENSORBOARD_LOGGING_DIR"]
    """


def test_the_run_of_hugging_face_is_where_its_own_callback_would_log(hugging_face):
    (run,) = (hugging_face / "places" / "out" / "runs").iterdir()
    for directory in (run, hugging_face / "places" / "chosen"):
        assert recorded.steps_and_norms(directory)[0] == [1, 2, 3, 4]


INTERRUPTED = """
    class Interrupt(TrainerCallback):
        reasons = [KeyboardInterrupt(), MemoryError()]
        def on_step_end(self, args, state, control, **others):
            if state.global_step == 3 and self.reasons:
                raise self.reasons.pop()
    # In one directory each, and in new ones under that of the output.
    for names in (("first", "second", "third"), (None, None, None)):
        callback = SonifyCallback()
        model = BertForSequenceClassification(config)
        training = trainer(model, callback, max_steps=8, report_to="none")
        training.add_callback(Interrupt())
        Interrupt.reasons = [KeyboardInterrupt(), MemoryError()]
        for name in names:
            callback._log_dir = name
            try:
                training.train()
            except (KeyboardInterrupt, MemoryError):
                pass
    """


def test_an_interrupted_training_of_hugging_face_has_no_rows_of_the_next(hugging_face):
    directory = hugging_face / "interrupted"
    for parent in (directory, directory / "out" / "runs"):
        runs = [run for run in parent.iterdir() if list(run.glob("events*"))]
        steps = sorted(recorded.steps_and_norms(run)[0] for run in runs)
        assert steps == [[1, 2, 3], [1, 2, 3], list(range(1, 9))]


ACCELERATE = """
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
    # As they are logged for trackers of other kinds, and before there is a value.
    odd = {"best": None, "images": [object()], "rates": [0.1, 0.2], "table": {"a": "b"},
           "scores": {"f1": torch.tensor(0.5), "accuracy": None}, "seen": torch.tensor(30),
           "many": torch.ones(3), "complex": 1j}
    accelerator.log(odd, 10)
    accelerator.end_training()
    accelerator.log({"late": 1.0}, 11)
    accelerator.end_training()
    done()
    """


def test_the_tracker_of_accelerate_logs_and_watches(fork_server, tmp_path):
    trained(fork_server, tmp_path, {"accelerate": ACCELERATE})
    run = tmp_path / "accelerate" / "run"
    assert_norms(run.parent, run)
    assert [step for step, _ in recorded.scalars(run, "loss")] == list(range(10))
    assert recorded.tags(run) >= {
        "configuration/text_summary",
        "note/text_summary",
        "sonify/single",
        "late",
    }
    assert recorded.scalars(run, "seen") == [(10, 30.0)]
    assert recorded.scalars(run / "scores_f1", "scores") == [(10, 0.5)]
    assert recorded.tags(run).isdisjoint({"best", "images", "rates", "many", "complex"})
    assert {path.name for path in run.iterdir() if path.is_dir()} == {"both_a", "scores_f1"}


KERAS = """
    import keras, numpy as np
    from keras import layers
    from tb_sonify.integrations.keras import SonifyCallback
    keras.utils.clear_session()  # names of layers are counted anew
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


@pytest.fixture(scope="module")
def keras(fork_server, tmp_path_factory):
    """The directory of all trainings by Keras."""
    scripts = {
        "all": GRADIENTS.replace("TRAINABLE", "True"),
        "frozen": GRADIENTS.replace("TRAINABLE", "False"),
        "scales": SCALES,
        "other_backend": OTHER_BACKEND,
        "interrupted": KERAS_INTERRUPTED,
    }
    directory = tmp_path_factory.mktemp("keras")
    scripts = {name: KERAS + script for name, script in scripts.items()}
    trained(fork_server, directory, scripts, KERAS_BACKEND="torch")
    return directory


GRADIENTS = """
    class Recording(keras.optimizers.SGD):
        def apply(self, gradients, variables=None):
            row = {}
            for gradient, variable in zip(gradients, variables):
                name = variable.path.rpartition("/")[0].removeprefix("sequential/")
                row.setdefault(name.replace("/", "."), []).append(gradient.double().flatten())
            expected.append({name: torch.cat(g).norm().item() for name, g in row.items()})
            return super().apply(gradients, variables)
    model.layers[0].trainable = TRAINABLE
    model.compile(optimizer=Recording(0.05, loss_scale_factor=None), loss="mse", metrics=["mae"])
    model.fit(inputs, labels, batch_size=8, epochs=2, verbose=0, validation_split=0.25,
              callbacks=[SonifyCallback("run")])
    done()
    """


def test_the_callback_of_keras_hears_the_gradients_of_its_torch_backend(keras):
    for case, layers in (("all", 4), ("frozen", 3)):
        run = keras / case / "run"
        assert_norms(run.parent, run)
        assert len(recorded.scalars(run, "loss")) == 12
        assert [step for step, _ in recorded.scalars(run, "val_loss")] == [5, 11]
        expected = json.loads((run.parent / "expected.json").read_text())
        assert len(expected[0]) == layers


SCALES = """
    for scale in (None, 64.0):
        keras.utils.set_random_seed(0)
        clone = keras.models.clone_model(model)
        clone.compile(optimizer=keras.optimizers.SGD(0.05, loss_scale_factor=scale), loss="mse")
        clone.fit(inputs, labels, batch_size=8, shuffle=False, verbose=0,
                  callbacks=[SonifyCallback(f"run{scale}", every=2)])
    """


def test_keras_has_no_part_in_norms_that_its_loss_scale_has(keras):
    steps, plain = recorded.steps_and_norms(keras / "scales" / "runNone")
    assert steps == [0, 2, 4, 6]
    _, scaled = recorded.steps_and_norms(keras / "scales" / "run64.0")
    np.testing.assert_allclose(scaled, plain, rtol=0.01)


# A real training, by a Keras that says that its backend is another: none is installed here.
OTHER_BACKEND = """
    import warnings
    backend = keras.backend.backend
    keras.backend.backend = lambda: "jax"
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(inputs, labels, batch_size=8, epochs=2, verbose=0, validation_split=0.25,
                  callbacks=[SonifyCallback("run")])
    keras.backend.backend = backend
    said = [str(each.message) for each in caught if "gradients are heard" in str(each.message)]
    assert said == ["gradients are heard with Keras' torch backend, and this one is 'jax': "
                    "only metrics are logged"], said
    """


def test_with_another_backend_of_keras_its_metrics_are_logged_and_a_warning_says_so(keras):
    run = keras / "other_backend" / "run"
    assert len(recorded.scalars(run, "loss")) == 12
    assert [step for step, _ in recorded.scalars(run, "val_loss")] == [5, 11]
    assert "sonify/rows" not in recorded.tags(run)


KERAS_INTERRUPTED = """
    class Interrupt(keras.callbacks.Callback):
        reasons = [KeyboardInterrupt()]
        def on_train_batch_end(self, batch, logs=None):
            logs["best"] = None  # as a callback before this one may
            if batch == 3 and self.reasons:
                raise self.reasons.pop()
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="mse")
    callback = SonifyCallback()
    for _ in range(2):
        try:
            model.fit(inputs, labels, batch_size=8, verbose=0, callbacks=[Interrupt(), callback])
        except KeyboardInterrupt:
            pass
    """


def test_an_interrupted_fit_of_keras_goes_on_in_its_run(keras):
    (run,) = (keras / "interrupted" / "runs").iterdir()
    assert recorded.steps_and_norms(run)[0] == list(range(3 + 8))
    assert [step for step, _ in recorded.scalars(run, "loss")] == list(range(3 + 8))


ADAPTER = """
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


def test_any_writer_is_given_norms_and_clips(fork_server, tmp_path):
    trained(fork_server, tmp_path, {"adapter": ADAPTER})


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
def test_without_its_framework_an_integration_names_the_extra(fork_server, module, packages, extra):
    script = f"""
import sys
for package in {packages.split()}:
    sys.modules[package] = None
import tb_sonify.integrations.{module}
"""
    result = fork_server.run(script)
    assert f'pip install "tb-sonify[{extra}]"' in result.stderr.splitlines()[-1]
