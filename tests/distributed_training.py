"""Trainings over several real processes; run by `tests/test_distributed.py`.

Each scenario leaves a run and, next to it, the norms of an unsharded model in float64.
"""

import json
import multiprocessing
import sys
import warnings
from copy import deepcopy
from multiprocessing.connection import wait
from pathlib import Path

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FullyShardedDataParallel
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.debug import CommDebugMode
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)
from torch.nn.parallel import DistributedDataParallel

from tb_sonify import SonifyWriter, clip_grad_norm_
from tb_sonify.landscape import Landscape, surface
from tests.reference import norm_of
from tests.twins import STEPS, Training, loss_of, network

try:
    from torch.distributed.fsdp import fully_shard
except ImportError:  # before torch 2.6
    from torch.distributed._composable.fsdp import fully_shard


def run(training, *, clip=None):
    """Train; clipping is by the 2-norm, whatever is watched."""
    for step in range(STEPS):
        training.backward(step)
        if clip is not None:
            clip_grad_norm_(training.model.parameters(), clip)
        training.optimizer.step()
        training.update(clip)
    training.finish()


def sharded(model):
    for layer in model:
        if isinstance(layer, nn.Linear):
            fully_shard(layer)
    fully_shard(model)


def in_parallel(model):
    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
    return parallelize_module(model, mesh, plan)  # the last layer is not sharded at all


def ddp(directory):
    run(Training(directory, "ddp", DistributedDataParallel))


def fsdp(directory):
    for norm_type in (1.0, 2.0, 3.0, float("inf")):
        run(Training(directory, f"fsdp-{norm_type}", sharded, norm_type=norm_type))


def clipped(directory):
    run(Training(directory, "clipped", sharded), clip=0.1)
    run(Training(directory, "clipped-1", sharded, norm_type=1.0), clip=0.1)


def tensor_parallel(directory):
    run(Training(directory, "tensor-parallel", in_parallel, batches=1, width=8))
    run(
        Training(
            directory, "tensor-parallel-part", in_parallel, batches=1, width=8, include=["0", "2"]
        )
    )


def two_dimensions(directory):
    """Four processes: shards of shards, and copies of shards."""

    def both(model):
        mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("data", "tensor"))
        plan = {"0": ColwiseParallel(), "2": RowwiseParallel()}
        parallelize_module(model, mesh["tensor"], plan)
        for layer in (model[0], model[2]):
            fully_shard(layer, mesh=mesh["data"])
        return model

    def hybrid(model):
        mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("replicate", "shard"))
        for layer in model:
            if isinstance(layer, nn.Linear):
                fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)

    training = Training(directory, "two-dimensions", both, batches=2, width=8, include=["0", "2"])
    data_rank = distributed.get_rank() // 2
    for step in range(STEPS):
        training.rank = data_rank
        training.backward(step)
        training.expected[step].pop("4")
        training.optimizer.step()
        training.update()
        training.model[4].load_state_dict(training.twin[4].state_dict())  # nothing else does so
    training.rank = distributed.get_rank()
    training.finish()
    run(Training(directory, "hybrid", hybrid))


def placements(directory):
    """One layer with parameters of every placement, and gradients that are not added up yet."""
    mesh = init_device_mesh("cpu", (2,))
    rank = distributed.get_rank()
    values = [torch.arange(6.0) + 1, torch.arange(4.0) - 5, torch.ones(3)]
    kinds = [Shard(0), Replicate(), Partial()]
    model = nn.ParameterList()
    for value, kind in zip(values, kinds, strict=True):
        of_parameter = Replicate() if kind.is_partial() else kind
        parameter = nn.Parameter(distribute_tensor(torch.zeros_like(value), mesh, [of_parameter]))
        if kind.is_partial():
            share = value * (0.25 if rank == 0 else 0.75)
            parameter.grad = DTensor.from_local(share, mesh, [Partial()], run_check=False)
        else:
            parameter.grad = distribute_tensor(value, mesh, [kind])
        model.append(parameter)
    plain = nn.Parameter(torch.zeros(2))
    plain.grad = torch.full((2,), 3.0)
    model.append(plain)
    with SonifyWriter(str(directory / "placements")) as writer:
        writer.add_gradient_norms(model, 0)
        writer.add_gradient_norms(model, 1, norm_type=float("inf"))
    kinds = {0: 2.0, 1: float("inf")}
    expected = {
        step: {"ParameterList": norm_of([*values, plain.grad], norm_type)}
        for step, norm_type in kinds.items()
    }
    if rank == 0:
        (directory / "placements.json").write_text(json.dumps(expected))


def counted(directory):
    """How many collectives there are: in the training, and behind its back."""
    kinds = distributed.distributed_c10d.ProcessGroupGloo
    reduce, ours = kinds.allreduce, []
    kinds.allreduce = lambda *arguments: (ours.append(1), reduce(*arguments))[1]
    training = Training(directory, "counted", sharded)
    seen = 0
    for step in range(STEPS):
        training.backward(step)
        with CommDebugMode() as collectives:
            training.optimizer.step()
        seen += collectives.get_total_counts()
        training.update()
    training.finish()
    kinds.allreduce = reduce
    if training.rank == 0:
        (directory / "counts.json").write_text(json.dumps({"step": seen, "ours": len(ours)}))


def uneven(directory):
    """One process leaves steps out, and has no gradients for a while."""
    training = Training(directory, "uneven", sharded)
    for step in range(12):
        training.backward(step)
        if step in (3, 4) and training.rank == 1:
            training.watch._watch().skip(training.optimizer)  # as a GradScaler does
            continue
        if step == 6 and training.rank == 1:
            training.optimizer.zero_grad()
        training.optimizer.step()
        training.update()
    training.finish()


def uncounted(directory):
    """One process does not step, and nobody knows."""
    training = Training(directory, "uncounted", sharded)
    for step in range(STEPS):
        training.backward(step)
        if step != 3 or training.rank == 0:
            training.optimizer.step()
        training.update()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        training.finish()


def alone(directory):
    """Only the first process watches."""
    from tb_sonify.training import sharding as gathering

    gathering._CONNECT_SECONDS = 2.0
    model = network()
    sharded(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    rank = distributed.get_rank()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        writer = SonifyWriter(str(directory / "alone"))
        if rank == 0:
            writer.watch(model, optimizer)
        for step in range(STEPS):
            optimizer.zero_grad()
            loss_of(model, step, rank).backward()
            optimizer.step()
            writer.add_scalar("loss", 1.0, step)
        writer.close()
    if rank == 0:
        (directory / "alone.json").write_text(json.dumps([str(each.message) for each in caught]))


def landscape(directory):
    """Strips in every process, and a surface in one alone, of a model that waits for the others."""
    rank = distributed.get_rank()
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
    model = DistributedDataParallel(inner)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def loss(model):
        return loss_of(model, 0, 0)

    with SonifyWriter(str(directory / "landscape")) as writer:
        writer.watch(model, optimizer, landscape=Landscape(loss, every=2))
        for step in range(STEPS):
            optimizer.zero_grad()
            loss_of(model, step, rank).backward()
            optimizer.step()
            if rank == 0:
                found = surface(model, loss, size=3)
                alone = surface(deepcopy(inner), loss, size=3)
                assert found.losses.tolist() == alone.losses.tolist()
    if rank == 0:
        (directory / "landscape.json").write_text(json.dumps(found.losses.tolist()))


def flat(directory):
    """Layers that are hidden are not watched."""
    with SonifyWriter(str(directory / "flat")) as writer:
        try:
            writer.watch(FullyShardedDataParallel(network(), device_id=torch.device("cpu")))
        except ValueError as error:
            (directory / f"flat{distributed.get_rank()}.txt").write_text(str(error))


def train(rank, size, store, directory, names):
    distributed.init_process_group(
        "gloo", init_method=f"file://{store}", rank=rank, world_size=size
    )
    for name in names:
        globals()[name](directory)
        distributed.barrier()
    distributed.destroy_process_group()


def main():
    size, store, directory, *names = sys.argv[1:]
    # To fork is cheaper than to import torch in each process; there are no other threads yet.
    fork = multiprocessing.get_context("fork").Process
    processes = [
        fork(target=train, args=(rank, int(size), store, Path(directory), names))
        for rank in range(int(size))
    ]
    for process in processes:
        process.start()
    while running := [process for process in processes if process.is_alive()]:
        wait([process.sentinel for process in running])
        if any(process.exitcode for process in processes):
            for process in running:
                process.kill()  # it would wait for the one that failed
    sys.exit(any(process.exitcode for process in processes))


if __name__ == "__main__":
    main()
