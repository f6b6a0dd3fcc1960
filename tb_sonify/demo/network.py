"""The convolutional network of the 2019 post, for images of 28x28 pixels in ten classes."""

from torch import Tensor, nn
from torch.nn import functional


class Network(nn.Module):
    """Two convolutions and two fully connected layers, 431,080 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(4 * 4 * 50, 500)
        self.fc2 = nn.Linear(500, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Log probability of each class, shape ``(images, 10)``."""
        hidden = functional.max_pool2d(functional.relu(self.conv1(images)), 2)
        hidden = functional.max_pool2d(functional.relu(self.conv2(hidden)), 2)
        hidden = functional.relu(self.fc1(hidden.flatten(1)))
        return functional.log_softmax(self.fc2(hidden), dim=1)
