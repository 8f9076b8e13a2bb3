"""Where else on a body one may look for what no photograph shows of a place: the other side, and through the body.

A back mostly is cloth of the front's kind, a left sleeve of the right one's. Averaged over all that a back might be, it
comes out as a blotched mean of the front's colours: stripes and prints are gone. Copied from a place that stands for
it, it keeps them. Which places may stand for one another is the body's business and fixed; whether one does, the model
learns (`alignment.ColorCopy`): a face tells little of the back of its head.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import cKDTree
from torch import Tensor

# What is turned round, of a place and of its normal (x to the person's left, z to the front), and in what order they
# are learned: the other side of the body, through the body, and both.
TURNS = (
    ((-1, 1, 1), (-1, 1, 1)),
    ((1, 1, 0), (1, 1, -1)),
    ((-1, 1, 0), (-1, 1, -1)),
)  # fmt: skip
COUNT = len(TURNS)
_NORMAL = 0.05  # metres that a normal counts for: a turn of 60 degrees is as far as these


def counterparts(
    points: Float[Tensor, "M 3"], normals: Float[Tensor, "M 3"], kinds: Float[Tensor, " M"]
) -> Int[Tensor, "M c"]:
    """The point of the T-pose that is nearest to where each of `TURNS` takes every point.

    Through the body depth does not count: places over each other, facing to front and back, belong together. kinds: one
    number each; points stand for those of their own kind only (skin for skin, shells of cloth and hair for shells).
    """
    places, facing = points.detach().cpu().double().numpy(), normals.detach().cpu().double().numpy()
    kinds = kinds.detach().cpu().numpy()
    found = np.empty((len(places), COUNT), np.int64)
    for kind in np.unique(kinds):
        (mine,) = np.nonzero(kinds == kind)
        for turn, (place, normal) in enumerate(TURNS):
            depth = np.abs(np.array(place))  # 0 where it does not count
            tree = cKDTree(np.hstack([places[mine] * depth, _NORMAL * facing[mine]]))
            turned = np.hstack([places[mine] * place, _NORMAL * facing[mine] * normal])
            found[mine, turn] = mine[tree.query(turned)[1]]
    return torch.from_numpy(found).to(points.device)
