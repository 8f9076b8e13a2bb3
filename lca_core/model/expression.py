"""Expression codes: 128 numbers read from a face crop, learned without labels through the driven branch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lca_core.body.driving import EPSILON

INPUT_PX = 56


class ExpressionEncoder(nn.Module):
    """A small convolutional network from a face crop to epsilon.

    It sees brightness only, freed of its mean and contrast, so that the code has little room for who the person is.
    """

    def __init__(self):
        super().__init__()
        widths = (1, 24, 48, 96, 128)
        layers = []
        for a, b in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.GELU()]
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(128 * 4 * 4, EPSILON))
        nn.init.normal_(self.net[-1].weight, std=1e-3)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, faces: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 128"]:
        """faces: sRGB in [0, 1], background removed, any square size."""
        small = nn.functional.interpolate(faces, size=(INPUT_PX, INPUT_PX), mode="bilinear", antialias=True)
        grey = small.mean(1, keepdim=True)
        grey = (grey - grey.mean((2, 3), keepdim=True)) / (grey.std((2, 3), keepdim=True) + 0.05)
        return self.net(grey)


class ActionMap(nn.Module):
    """An affine map from the 52 facial actions to epsilon, so that sliders and retargeting work.

    Not trained with the model: fitted afterwards by ridge regression on training people (`fit`).
    """

    def __init__(self, actions: int = 52):
        super().__init__()
        self.register_buffer("weight", torch.zeros(EPSILON, actions))
        self.register_buffer("bias", torch.zeros(EPSILON))

    def forward(self, actions: Float[Tensor, "*B 52"]) -> Float[Tensor, "*B 128"]:
        """epsilon for given actions in [0, 1]."""
        return actions @ self.weight.T + self.bias

    def fit(self, actions: Float[Tensor, "n 52"], codes: Float[Tensor, "n 128"], ridge: float = 1e-2) -> None:
        """Least squares with a ridge on the weights, relative to the number of samples."""
        x = torch.cat([actions, torch.ones_like(actions[:, :1])], 1).double()
        penalty = ridge * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
        penalty[-1, -1] = 0
        solution = torch.linalg.solve(x.T @ x + penalty, x.T @ codes.double())
        self.weight.copy_(solution[:-1].T)
        self.bias.copy_(solution[-1])
