"""Trainings as public code has them, which print their losses and log none.

Each prints its name, and for each step of its optimizer the losses by the names of their scalars.
"""

import gc
import json

import torch
from torch import nn
from torch.nn import functional

torch.manual_seed(0)
torch.set_num_threads(1)


def net(inputs=4, outputs=2):
    return nn.Sequential(nn.Linear(inputs, 6), nn.Tanh(), nn.Linear(6, outputs))


def adam(model):
    return torch.optim.Adam(model.parameters(), lr=0.01)


def show(*names, **losses):
    """Print what the training prints."""
    tags = ["/".join(["loss/backward", *name]) for name in (names or [()])]
    print(json.dumps(dict(zip(tags, losses.values(), strict=True))))


def plain():
    model = net()
    optimizer = adam(model)
    for _ in range(7):
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(2, (8,)))
        loss.backward()
        optimizer.step()
        show(loss=loss.item())
        loss.detach_().zero_()  # what is averaged over processes is changed in place


def accumulation():
    model = net()
    optimizer = adam(model)
    for _ in range(5):
        total = 0.0
        for i in range(4):
            loss = model(torch.randn(8, 4)).square().mean() / 4
            total += loss.item()
            if i < 3:  # as within `no_sync`
                loss.backward()
            else:
                loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        show(loss=total)


def scaler():
    model = net()
    optimizer = adam(model)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30, growth_interval=2)
    for step in range(7):
        total = 0.0
        for _ in range(2):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = functional.cross_entropy(model(torch.randn(8, 4)), torch.randint(2, (8,)))
            total += loss.item() / 2
            scaler.scale(loss).div(2).backward()
        if step in (0, 4):  # a step that is left out, which has a loss, too
            model[0].weight.grad.fill_(torch.inf)
        scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        show(loss=total)


def dcgan():
    netG, netD = net(3, 4), net(4, 1)
    optimizerD, optimizerG = adam(netD), adam(netG)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(6):
        netD.zero_grad()
        errD_real = criterion(netD(torch.randn(8, 4)), torch.ones(8, 1))
        errD_real.backward()
        fake = netG(torch.randn(8, 3))
        errD_fake = criterion(netD(fake.detach()), torch.zeros(8, 1))
        errD_fake.backward()
        optimizerD.step()
        netG.zero_grad()
        errG = criterion(netD(fake), torch.ones(8, 1))
        errG.backward(retain_graph=True)
        optimizerG.step()
        errD = errD_real + errD_fake
        show(
            ["errD_real+errD_fake"], ["errG"], ["errD_real"], ["errD_fake"],
            D=errD.item(), G=errG.item(), real=errD_real.item(), fake=errD_fake.item(),
        )  # fmt: skip


class Cycle:
    """The style of pix2pix and CycleGAN: all in methods, of one name."""

    def __init__(self):
        self.g, self.d = net(3, 4), net(4, 1)
        self.optimizers = [adam(self.d), adam(self.g)]

    def step_d(self):
        loss = functional.softplus(self.d(self.g(torch.randn(8, 3)).detach())).mean()
        loss.backward(torch.tensor(-1.0))  # WGAN's `mone`
        return -loss.item()

    def step_g(self):
        self.loss = functional.softplus(-self.d(self.g(torch.randn(8, 3)))).mean()
        self.loss.backward()
        return self.loss.item()


def cycle():
    model = Cycle()
    for _ in range(5):
        values = []
        for step, optimizer in zip([model.step_d, model.step_g], model.optimizers, strict=True):
            optimizer.zero_grad()
            values.append(step())
            optimizer.step()
        show(["step_d.loss"], ["step_g.loss"], d=values[0], g=values[1])


def closure():
    weights = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], lr=0.1, max_iter=4)
    inputs, target = torch.randn(20, 3), torch.randn(20)

    def closure():
        optimizer.zero_grad()
        loss = (inputs @ weights - target).square().mean()
        loss.backward()
        return loss

    for _ in range(5):
        loss = optimizer.step(closure)
        show(loss=loss.item())


class Trainer:
    """A trainer in a class, with hooks, a schedule and gradient clipping."""

    def __init__(self, model):
        self.model, self.optimizer = model, torch.optim.AdamW(model.parameters())
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, 2)

    def training_step(self, batch):
        return self.model(batch).square().mean() + self.model(batch).abs().mean()

    def backward(self, loss):
        torch.autograd.backward([loss, loss.detach().requires_grad_() * 0])

    def fit(self):
        for _ in range(5):
            self.optimizer.zero_grad()
            loss = self.training_step(torch.randn(8, 4))
            self.backward(loss)
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()
            self.schedule.step()
            show(loss=loss.item())


def trainer():
    Trainer(net()).fit()


def accelerate():
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    model = net()
    model, optimizer = accelerator.prepare(model, adam(model))
    total = 0.0
    for step in range(10):
        with accelerator.accumulate(model):
            loss = model(torch.randn(8, 4)).square().mean()
            accelerator.backward(loss)
            total += loss.item() / 2
            optimizer.step()
            optimizer.zero_grad()
        if step % 2:
            show(loss=total)
            total = 0.0


def nanogpt():
    model = torch.nn.ModuleDict({"wte": nn.Embedding(11, 8), "head": nn.Linear(8, 11)})
    model["head"].weight = model["wte"].weight
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": decay}, {"params": rest, "weight_decay": 0.0}])
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    steps = 3
    for _ in range(5):
        total = 0.0
        for _ in range(steps):
            tokens = torch.randint(11, (4, 9))
            logits = model["head"](model["wte"](tokens[:, :-1]))
            loss = functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
            loss = loss / steps
            total += loss.item()
            scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        optimizer.zero_grad(set_to_none=True)
        show(lossf=total)


def actor_critic():
    actor, critic = net(4, 2), net(4, 1)
    log_alpha = torch.zeros(1, requires_grad=True)
    optimizers = [adam(critic), adam(actor), torch.optim.Adam([log_alpha], lr=0.01)]
    q_optimizer, actor_optimizer, a_optimizer = optimizers
    for _ in range(5):
        state = torch.randn(8, 4)
        qf_loss = (critic(state) - 1.0).square().mean()
        q_optimizer.zero_grad()
        qf_loss.backward()
        q_optimizer.step()
        actor_loss = (actor(state).square() * log_alpha.exp().detach()).mean()
        actor_optimizer.zero_grad()
        actor_loss.backward()
        actor_optimizer.step()
        alpha_loss = (-log_alpha.exp() * 0.5).mean()
        a_optimizer.zero_grad()
        alpha_loss.backward()
        a_optimizer.step()
        show(
            ["qf_loss"], ["actor_loss"], ["alpha_loss"],
            q=qf_loss.item(), actor=actor_loss.item(), alpha=alpha_loss.item(),
        )  # fmt: skip


class Labelled(torch.Tensor):
    """A subclass by `__torch_function__`, such as fastai's."""


def odd():
    """What is no loss, beside one: nested, failing and partial calls of backward."""
    model = net()
    optimizer = adam(model)
    for _ in range(4):
        inputs = torch.randn(8, 4, requires_grad=True)
        output = torch.utils.checkpoint.checkpoint(model, inputs, use_reentrant=True)
        loss = output.square().mean().as_subclass(Labelled)
        try:
            loss.backward(torch.ones(3))
        except RuntimeError:
            loss.backward(retain_graph=True)
        output.backward(torch.zeros_like(output))
        optimizer.step()
        optimizer.zero_grad()
        show(loss=loss.item())


def compiled():
    model = net()
    optimizer = adam(model)

    @torch.compile(backend="eager")
    def step(inputs):
        loss = model(inputs).square().mean()
        loss.backward()
        return loss

    for _ in range(4):
        optimizer.zero_grad()
        loss = step(torch.randn(8, 4))
        optimizer.step()
        show(loss=loss.item())


for training in (
    plain, accumulation, scaler, dcgan, cycle, closure, trainer, accelerate, nanogpt, actor_critic,
    odd, compiled,
):  # fmt: skip
    print(training.__name__)
    training()
    gc.collect()
