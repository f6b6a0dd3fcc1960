"""Which run it is that `tb-sonify run` logs into, and which steps."""

import sys

import pytest

from tests import recorded
from tests.test_running_program import ended, write

pytestmark = pytest.mark.training

TRAIN = """
    import gc, os, sys, time, weakref, torch
    from torch import nn
    from torch.utils.tensorboard import SummaryWriter
    torch.set_num_threads(1)
    def trained(steps, seen=None, writer=None, schedule=False):
        model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        schedule = schedule and torch.optim.lr_scheduler.StepLR(optimizer, 100)
        for step in range(steps):
            if seen is not None and step == 3:
                writer = seen()
            optimizer.zero_grad()
            loss = model(torch.randn(3, 4)).square().sum()
            loss.backward()
            optimizer.step()
            if writer:
                writer.add_scalar("loss", loss, step)
        return weakref.ref(model)
    """


@pytest.fixture
def run(fork_server, tmp_path):
    def run(script, *options):
        write(tmp_path / "train.py", TRAIN + script)
        status, output, errors = fork_server.tb_sonify_run(*options, "train.py", directory=tmp_path)
        assert status == 0, errors
        return output, errors.splitlines()[-1]

    return run


def test_each_training_of_a_sweep_is_a_run_where_its_loss_is(run, tmp_path):
    script = """
    for lr in ("a", "b"):
        writer = SummaryWriter(f"runs/{lr}")
        model = trained(20, writer=writer)
        gc.collect()
        assert model() is None, gc.get_referrers(model())
        writer.close()
        with SummaryWriter(f"runs/{lr}-hparams") as other:
            other.add_hparams({"lr": lr}, {"loss": 0.0})
    """
    _, said = run(script)
    for name in ("a", "b"):
        block = recorded.all_rows(tmp_path / "runs" / name)
        assert block.steps.tolist() == list(range(20))
        assert block.layers == ("0", "1")
        assert len(recorded.scalars(tmp_path / "runs" / name, "loss")) == 20
    assert "sonify/rows" not in recorded.tags(tmp_path / "runs" / "a-hparams")
    assert "the gradients are in runs/a, runs/b; hear them: tensorboard --logdir runs" in said


@pytest.mark.parametrize("schedule", [False, True])
def test_each_training_of_a_sweep_without_a_log_is_a_run(run, tmp_path, schedule):
    script = f"""
    for _ in range(3):
        model = trained(5, schedule={schedule})
        gc.collect()
        assert model() is None, gc.get_referrers(model())
    """
    _, said = run(script, "--logdir", "lr")
    assert "the gradients are in lr, lr-2, lr-3; hear them: tensorboard --logdir ." in said
    for name in ("lr", "lr-2", "lr-3"):
        block = recorded.all_rows(tmp_path / name)
        assert block.steps.tolist() == list(range(5))
        assert block.layers == ("0", "1")


def test_many_optimizers_that_begin_in_one_step_cost_no_garbage_collection_each(run, tmp_path):
    script = """
    models = [nn.Linear(2, 2) for _ in range(30)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.1) for model in models]
    collected = []
    gc.callbacks.append(lambda phase, info: collected.append((phase, info["generation"])))
    for _ in range(3):
        for model, optimizer in zip(models, optimizers):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    print(collected.count(("stop", 2)))
    """
    output, _ = run(script)
    assert int(output) < 5
    (directory,) = (tmp_path / "runs").iterdir()
    assert recorded.all_rows(directory).steps.tolist() == [0, 1, 2]


def test_an_optimizer_that_follows_another_goes_on_with_its_run(run, tmp_path):
    script = """
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    for _ in range(3):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for _ in range(5):
            optimizer.zero_grad()
            model(torch.randn(3, 4)).square().sum().backward()
            optimizer.step()
        del optimizer
    """
    run(script)
    (directory,) = (tmp_path / "runs").iterdir()
    assert recorded.steps_and_norms(directory)[0] == list(range(15))
    assert {block.layers for block in recorded.rows(directory)} == {("0", "1")}


def test_a_writer_that_comes_late_has_all_steps(run, tmp_path):
    run("\n    trained(20, lambda: SummaryWriter('runs/late'))")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["late"]
    assert recorded.steps_and_norms(tmp_path / "runs" / "late")[0] == list(range(20))
    assert len(recorded.scalars(tmp_path / "runs" / "late", "loss")) == 17


def test_of_writers_side_by_side_the_first_has_the_norms(run, tmp_path):
    script = """
    train, test = SummaryWriter("runs/train"), SummaryWriter("runs/test")
    trained(20, writer=train)
    """
    run(script)
    assert len(recorded.steps_and_norms(tmp_path / "runs" / "train")[0]) == 20
    assert recorded.tags(tmp_path / "runs" / "test") == set()


def test_a_script_that_has_a_sonify_writer_is_left_alone(run, tmp_path):
    script = """
    from tb_sonify import SonifyWriter
    writer = SonifyWriter("runs/own")
    trained(20, writer=writer)
    """
    _, said = run(script)
    assert "has a SonifyWriter of its own" in said
    assert recorded.tags(tmp_path / "runs" / "own") == {"loss"}


def test_steps_that_a_scaler_leaves_out_are_counted(run, tmp_path):
    script = """
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    for step in range(10):
        optimizer.zero_grad()
        loss = model(torch.randn(3, 4)).square().sum()
        scaler.scale(loss * (float("inf") if step in (0, 1, 5) else 1.0)).backward()
        scaler.step(optimizer)
        scaler.update()
    """
    run(script)
    (directory,) = (tmp_path / "runs").iterdir()
    assert recorded.steps_and_norms(directory)[0] == [2, 3, 4, 6, 7, 8, 9]


def test_a_compiled_step_is_watched(run, tmp_path):
    script = """
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    @torch.compile(backend="eager")
    def step():
        optimizer.step()
    for _ in range(6):
        optimizer.zero_grad()
        model(torch.randn(3, 4)).square().sum().backward()
        step()
    """
    run(script)
    (directory,) = (tmp_path / "runs").iterdir()
    assert recorded.steps_and_norms(directory)[0] == list(range(6))


def test_a_closure_that_computes_the_gradients_is_watched_from_its_first_step(run, tmp_path):
    script = """
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    def closure():
        optimizer.zero_grad()
        loss = model(torch.ones(3, 4)).square().sum()
        loss.backward()
        return loss
    for _ in range(6):
        optimizer.step(closure)
    """
    run(script)
    (directory,) = (tmp_path / "runs").iterdir()
    steps, norms = recorded.steps_and_norms(directory)
    assert steps == list(range(6))
    assert (norms > 0).all()


def test_under_torchrun_the_first_process_writes(tmp_path):
    script = """
    import torch.distributed as dist
    dist.init_process_group("gloo")
    torch.manual_seed(dist.get_rank())
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    model = nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    writer = SummaryWriter("runs/ddp") if dist.get_rank() == 0 else None
    for step in range(20):
        optimizer.zero_grad()
        loss = model(torch.randn(3, 4)).square().sum()
        loss.backward()
        optimizer.step()
        if writer:
            writer.add_scalar("loss", loss, step)
    dist.destroy_process_group()
    print("done", flush=True)
    """
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    write(tmp_path / "train.py", TRAIN + script)
    command = [*torchrun, "--standalone", "-m", "tb_sonify", "run", "train.py"]
    status, output, errors = ended(command, tmp_path)
    assert status == 0, errors
    assert output.count("done") == 2
    assert errors.count("tb-sonify run: the gradients are in runs/ddp") == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["ddp"]
    block = recorded.all_rows(tmp_path / "runs" / "ddp")
    assert block.layers == ("0", "1")
    assert block.steps.tolist() == list(range(20))
    losses = (recorded.scalars(tmp_path / "runs/ddp", tag) for tag in ("loss", "loss/backward"))
    assert next(losses) == next(losses)


STEPS = """
    from torch.utils.tensorboard import SummaryWriter
    def logged(name, updates, optimizer_steps, logged_step, tag="losses/policy_loss"):
        model = nn.Linear(2, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        writer = SummaryWriter(f"runs/{name}")
        for update in range(updates):
            for _ in range(optimizer_steps):
                optimizer.zero_grad()
                loss = model(torch.randn(3, 2)).square().sum()
                loss.backward()
                optimizer.step()
            writer.add_scalar("charts/epoch", update, update)
            writer.add_scalar(tag, loss.item(), logged_step(update))
            writer.add_text("text", "nothing", 10**7)
            if "loss" in tag:
                writer.add_scalar("val/loss", 0.0, 10**6)
                writer.add_scalar("charts/updates", update, 10**8)
        writer.close()
    """
LOGGED = {
    # PPO: 16 minibatches for 512 environment steps, spread over them once their number is known
    "ppo": (
        "5, 16, lambda update: 512 * (update + 1)",
        [*range(16), *range(512, 2560, 32)],
    ),
    "every tenth": ("4, 10, lambda update: 10 * update + 9", list(range(40))),
    "samples": ("6, 1, lambda update: 64 * (update + 1)", [0, 64, 128, 192, 256, 320]),
    "micro-batches": ("4, 1, lambda update: 4 * update + 3", [0, 3, 7, 11]),
    "reward": ("3, 2, lambda update: 100 * update + 100, 'reward'", [0, 1, 100, 150, 200, 250]),
    "per epoch": ("5, 20, lambda update: update", list(range(100))),
}


def test_rows_have_the_steps_of_a_loss_that_counts_faster(fork_server, tmp_path):
    calls = "".join(f"\n    logged({name!r}, {call})" for name, (call, _) in LOGGED.items())
    write(tmp_path / "train.py", TRAIN + STEPS + calls)
    status, _, errors = fork_server.tb_sonify_run("train.py", directory=tmp_path)
    assert status == 0, errors
    assert "Warning" not in errors
    for name, (_, steps) in LOGGED.items():
        run = tmp_path / "runs" / name
        assert recorded.steps_and_norms(run)[0] == steps, name
        assert [step for step, _ in recorded.scalars(run, "loss/backward")] == steps
    assert errors.splitlines()[-1] == (
        "tb-sonify run: the script logs at steps up to 4, the gradients are at those of the "
        "optimizer, up to 99: choose time as x in the tab to have them side by side"
    )


def test_a_script_that_resumes_is_told_its_first_step(run, tmp_path):
    script = """
    trained(20)
    gc.collect()
    trained(5)
    """
    run(script, "--logdir", "here", "--first-step", "300", "--every", "10")
    assert recorded.steps_and_norms(tmp_path / "here")[0] == [300, 310]
    assert recorded.steps_and_norms(tmp_path / "here-2")[0] == [0]
