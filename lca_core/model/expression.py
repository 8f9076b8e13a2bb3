"""Expression codes: 128 numbers read from a face, learned without labels through the driven branch."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from lca_core.body import Head
from lca_core.body.driving import EPSILON
from lca_core.data import Picture, camera_tensors
from lca_core.model.claims import Claim
from lca_core.model.crops import foreground, upright_crop

CHIP_SIDE = 0.15  # metres: from the brows to the chin, without hair and outline
_WIDTHS = {56: (1, 32, 64, 128, 192), 112: (1, 16, 32, 64, 128, 192)}  # side of a chip -> channels, halved each time
_BELOW_THE_EYES = 0.035  # metres from between the eyes to the chip's middle


def expression_chip(picture: Picture, head: Head, px: int) -> Float[Tensor, "px px"]:
    """Brightness of the inner face, upright, over mid-grey, in [0, 1]: all that a code is read from.

    Hair, outline and what is behind are left out, so that they cannot pass for expression.
    """
    device = head.up.device
    grey = foreground(picture, device)[:3].mean(0)[..., None]
    centre = head.eyes.mean(0) - _BELOW_THE_EYES * head.up
    return upright_crop(grey, *camera_tensors(picture.camera, device), centre, head.up, CHIP_SIDE, px)[..., 0]


class ExpressionEncoder(nn.Module):
    """A small convolutional network from an expression chip to epsilon.

    It sees brightness only, freed of its mean and contrast, so that the code has little room for who the person is.
    px: side of the chips, 56 or 112.
    """

    claim = Claim("decoders")

    def __init__(self, px: int = 56):
        super().__init__()
        widths = _WIDTHS[px]
        layers = []
        for a, b in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(a, b, 3, stride=2, padding=1), nn.GroupNorm(8, b), nn.GELU()]
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * 4 * 4, EPSILON))
        nn.init.normal_(self.net[-1].weight, std=1e-3)
        nn.init.zeros_(self.net[-1].bias)

    def forward(self, chips: Float[Tensor, "B px px"]) -> Float[Tensor, "B 128"]:
        """Codes of chips as `expression_chip` makes them."""
        grey = chips[:, None]
        grey = (grey - grey.mean((2, 3), keepdim=True)) / (grey.std((2, 3), keepdim=True) + 0.05)
        return self.net(grey)


class ActionMap(nn.Module):
    """An affine map from the 52 facial actions to epsilon, so that sliders and retargeting work.

    Not trained with the model: fitted afterwards by ridge regression on training people (`fit`). Where the first 52
    numbers of a code are the actions themselves (`FaceShapes` of the free body), those are handed on as they are.
    """

    def __init__(self, actions: int = 52):
        super().__init__()
        self.register_buffer("weight", torch.zeros(EPSILON, actions))
        self.register_buffer("bias", torch.zeros(EPSILON))

    def forward(self, actions: Float[Tensor, "*B 52"]) -> Float[Tensor, "*B 128"]:
        """epsilon for given actions in [0, 1]."""
        return actions @ self.weight.T + self.bias

    def fit(
        self, actions: Float[Tensor, "n 52"], codes: Float[Tensor, "n 128"], exact: bool = False, ridge: float = 1e-2
    ) -> None:
        """Least squares with a ridge on the weights, relative to the number of samples.

        exact: whether a code's first 52 numbers are the actions.
        """
        x = torch.cat([actions, torch.ones_like(actions[:, :1])], 1).double()
        penalty = ridge * len(x) * torch.eye(x.shape[1], dtype=x.dtype)
        penalty[-1, -1] = 0
        solution = torch.linalg.solve(x.T @ x + penalty, x.T @ codes.double())
        self.weight.copy_(solution[:-1].T)
        self.bias.copy_(solution[-1])
        if exact:
            self.weight[: actions.shape[1]] = torch.eye(actions.shape[1])
            self.bias[: actions.shape[1]] = 0
