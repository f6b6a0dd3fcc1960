"""Lightning in real trainings: its callback, of both packages, and the logger of Fabric."""

import json

import pytest

from tests import recorded
from tests.frameworks import trained

pytestmark = pytest.mark.training

MODULE = """
    import PACKAGE as pl
    from PACKAGE.loggers import CSVLogger, TensorBoardLogger
    from torch.utils.data import DataLoader, TensorDataset
    from tb_sonify.integrations.lightning import SonifyCallback
    assert issubclass(SonifyCallback, pl.Callback)
    inputs = torch.randn(64, 4)
    data = DataLoader(TensorDataset(inputs), batch_size=4)
    quiet = {
        "accelerator": "cpu", "enable_progress_bar": False, "enable_model_summary": False,
        "enable_checkpointing": False, "log_every_n_steps": 2,
    }
    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        def training_step(self, batch, _):
            loss = self.net(batch[0]).square().mean()
            self.log("loss/train", loss)
            return loss
        def validation_step(self, batch, _):
            self.log("loss/val", self.net(batch[0]).square().mean())
        def on_before_optimizer_step(self, optimizer):
            expected.append(norms(self))
        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)
    """


@pytest.fixture(scope="module")
def trainings(fork_server, tmp_path_factory):
    """Directories of all trainings of a package."""
    both = {"logger": MODULE + LOGGER, "csv": MODULE + CSV}
    alone = {
        "no_logger": MODULE + NO_LOGGER,
        "two_optimizers": MODULE + TWO_OPTIMIZERS,
        "resumed": MODULE + RESUMED,
        "other_loggers": MODULE + OTHER_LOGGERS,
        "fabric": FABRIC,
    }
    directories = {}
    for package, name, scripts in (
        ("lightning", "lightning.pytorch", both | alone),
        ("pytorch_lightning", "pytorch_lightning", both),
    ):
        directories[package] = tmp_path_factory.mktemp(package)
        scripts = {key: script.replace("PACKAGE", name) for key, script in scripts.items()}
        trained(fork_server, directories[package], scripts)
    return directories


def assert_norms(directory, run, *, first_step=0):
    expected = json.loads((directory / "expected.json").read_text())
    for layer in expected[0]:
        logged = recorded.scalars(run, f"grad_norm/{layer}")
        assert [step for step, _ in logged] == list(range(first_step, first_step + len(expected)))
        assert [norm for _, norm in logged] == pytest.approx(
            [step[layer] for step in expected], rel=1e-5
        )
    assert len(recorded.steps_and_norms(run)[0]) == len(expected)


LOGGER = """
    trainer = pl.Trainer(
        max_epochs=2, accumulate_grad_batches=2, precision="bf16-mixed",
        logger=TensorBoardLogger(".", name="", version="run"),
        callbacks=[SonifyCallback()], **quiet,
    )
    trainer.fit(Module(), data, data)
    done()
    """


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_the_callback_logs_beside_the_tensorboard_logger(package, trainings):
    directory = trainings[package] / "logger"
    run = directory / "run"
    assert_norms(directory, run)
    assert len(recorded.steps_and_norms(run)[0]) == 16
    losses = recorded.scalars(run, "loss/train")
    assert [step for step, _ in losses] == sorted({step for step, _ in losses})
    assert [path.name for path in directory.iterdir() if path.is_dir()] == ["run"]


CSV = """
    trainer = pl.Trainer(
        max_steps=20, logger=CSVLogger(".", name="", version="run"),
        val_check_interval=8, limit_val_batches=1, callbacks=[SonifyCallback(every=2)], **quiet,
    )
    trainer.fit(Module(), data, data)
    """


@pytest.mark.parametrize("package", ["lightning", "pytorch_lightning"])
def test_without_a_tensorboard_logger_the_callback_logs_what_the_module_logs(package, trainings):
    run = trainings[package] / "csv" / "run"
    assert recorded.steps_and_norms(run)[0] == list(range(0, 20, 2))
    assert [step for step, _ in recorded.scalars(run, "loss/train")] == list(range(0, 20, 2))
    validations = [step for step, _ in recorded.scalars(run, "loss/val")]
    assert len(validations) == 2
    assert (run / "metrics.csv").exists()


NO_LOGGER = """
    for log_dir in (None, "run"):
        callback = SonifyCallback(log_dir=log_dir)
        trainer = pl.Trainer(max_steps=10, logger=False, callbacks=[callback], **quiet)
        module = Module()
        trainer.fit(module, data)
        trainer.fit_loop.epoch_loop.max_steps = 16
        trainer.fit(module, data)
    """


def test_without_any_logger_the_run_is_a_new_one_and_a_second_fit_goes_on(trainings):
    directory = trainings["lightning"] / "no_logger"
    runs = sorted((directory / "runs").iterdir())
    assert runs[0].name.endswith("_Module")
    assert recorded.steps_and_norms(directory / "run")[0] == list(range(16))


TWO_OPTIMIZERS = """
    class Two(Module):
        automatic_optimization = False
        def __init__(self):
            super().__init__()
            self.critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
        def training_step(self, batch, _):
            for optimizer, net in zip(self.optimizers(), (self.net, self.critic)):
                optimizer.zero_grad()
                self.manual_backward(net(batch[0]).square().mean())
                optimizer.step()
        def on_before_optimizer_step(self, optimizer):
            held = optimizer.param_groups[0]["params"]
            if held[0] is self.net[0].weight:
                expected.append({})
            expected[-1].update(norms(self, held))
        def configure_optimizers(self):
            return [torch.optim.SGD(net.parameters(), lr=0.1) for net in (self.net, self.critic)]
    trainer = pl.Trainer(
        max_epochs=1, logger=TensorBoardLogger(".", name="", version="run"),
        callbacks=[SonifyCallback()], **quiet,
    )
    trainer.fit(Two(), data)
    done()
    """


def test_two_optimizers_share_the_steps(trainings):
    directory = trainings["lightning"] / "two_optimizers"
    assert_norms(directory, directory / "run")
    block = recorded.all_rows(directory / "run")
    assert block.layers == ("net.0", "net.2", "critic.0", "critic.2")
    assert (block.norms > 0).all()


RESUMED = """
    from torch.optim.optimizer import _global_optimizer_pre_hooks
    import inspect
    quiet["enable_checkpointing"] = True
    # From 2.6 on, a checkpoint with more than tensors must be asked for.
    known = inspect.signature(pl.Trainer.fit).parameters
    whole = {"weights_only": False} if "weights_only" in known else {}
    class Failing(Module):
        def on_train_batch_end(self, outputs, batch, batch_idx):
            if self.global_step == 12:
                raise ValueError("mine")
    for module, path in ((Module(), None), (Failing(), "last.ckpt")):
        logger = TensorBoardLogger(".", name="", version="run")
        trainer = pl.Trainer(max_steps=8 if path is None else 20, logger=logger,
                             callbacks=[SonifyCallback()], **quiet)
        try:
            trainer.fit(module, data, ckpt_path=path, **(whole if path else {}))
        except ValueError as error:
            assert str(error) == "mine"
            assert not _global_optimizer_pre_hooks
        trainer.save_checkpoint("last.ckpt")
    done()
    """


def test_a_run_that_is_resumed_goes_on_with_its_steps_and_a_failure_is_written(trainings):
    directory = trainings["lightning"] / "resumed"
    assert_norms(directory, directory / "run")
    assert len(recorded.steps_and_norms(directory / "run")[0]) == 12


# Loggers as those of W&B, MLflow and others, which write nothing of TensorBoard's.
OTHER_LOGGERS = """
    from PACKAGE.loggers.logger import Logger
    class Other(Logger):
        name, version = "project", "3xk2j1"
        def __init__(self, save_dir):
            self._directory = save_dir
        @property
        def save_dir(self):
            return self._directory
        def log_metrics(self, metrics, step=None):
            pass
        def log_hyperparams(self, *arguments, **options):
            pass
    beside = TensorBoardLogger("both", name="", version="run")
    for loggers in (Other("."), Other("."), Other(None), [Other("saved")], [Other("both"), beside]):
        callback = SonifyCallback()
        trainer = pl.Trainer(max_steps=6, default_root_dir="root", logger=loggers,
                             callbacks=[callback], **quiet)
        trainer.fit(Module(), data)
    """


def test_with_other_loggers_each_training_has_a_directory_of_its_own(trainings):
    directory = trainings["lightning"] / "other_loggers"
    for parent, count in (("", 2), ("root", 1), ("saved", 1)):
        runs = sorted((directory / parent / "runs").iterdir())
        assert len(runs) == count
        for run in runs:
            assert recorded.steps_and_norms(run)[0] == list(range(6))
            assert [step for step, _ in recorded.scalars(run, "loss/train")] == [0, 2, 4]
    run = directory / "both" / "run"
    assert recorded.steps_and_norms(run)[0] == list(range(6))
    theirs, ours = sorted(run.glob("events*"), key=lambda path: path.name, reverse=True)
    assert int(ours.name.split(".")[-1]) >= 1000 > int(theirs.name.split(".")[-1])


FABRIC = """
    from lightning.fabric import Fabric
    from tb_sonify.integrations.fabric import SonifyLogger
    logger = SonifyLogger(".", name="", version="run", presets=["single"])
    fabric = Fabric(accelerator="cpu", devices=1, precision="bf16-mixed", loggers=logger)
    fabric.launch()
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    wrapped, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=0.1))
    logger.watch(wrapped, optimizer)
    for step in range(10):
        optimizer.zero_grad()
        loss = wrapped(torch.randn(4, 4)).square().mean()
        fabric.backward(loss)
        expected.append(norms(model))
        optimizer.step()
        fabric.log("loss", loss, step)
    logger.finalize("success")
    done()
    """


def test_the_logger_of_fabric_watches_what_fabric_has_set_up(trainings):
    directory = trainings["lightning"] / "fabric"
    assert_norms(directory, directory / "run")
    assert len(recorded.scalars(directory / "run", "loss")) == 10
    assert "sonify/single" in recorded.tags(directory / "run")
