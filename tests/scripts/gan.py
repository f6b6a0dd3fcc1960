"""A generator and a discriminator, each with its optimizer, logged by tensorboardX."""

import torch
from tensorboardX import SummaryWriter
from torch import nn, optim


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))

    def forward(self, noise):
        return self.main(noise)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))

    def forward(self, points):
        return self.main(points).flatten()


torch.manual_seed(3)
netG = Generator()
netD = Discriminator()
criterion = nn.BCEWithLogitsLoss()
optimizerD = optim.Adam(netD.parameters(), lr=2e-3, betas=(0.5, 0.999))
optimizerG = optim.Adam(netG.parameters(), lr=2e-3, betas=(0.5, 0.999))
writer = SummaryWriter("runs/gan")
# training begins
for i in range(30):
    real = torch.randn(16, 2) * 0.1 + 1
    fake = netG(torch.randn(16, 4))
    netD.zero_grad()
    errD = criterion(netD(real), torch.ones(16)) + criterion(netD(fake.detach()), torch.zeros(16))
    errD.backward()
    optimizerD.step()

    netG.zero_grad()
    errG = criterion(netD(fake), torch.ones(16))
    errG.backward()
    optimizerG.step()
    writer.add_scalar("loss/D", errD.item(), i)
    writer.add_scalar("loss/G", errG.item(), i)
writer.close()
print(f"loss {errD.item():.6f} {errG.item():.6f}")
