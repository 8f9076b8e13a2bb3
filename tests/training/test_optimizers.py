"""Muon on all matrices of a shape together takes the steps that torch's takes one by one."""

from copy import deepcopy

import torch

from lca_core.training.optimizers import Muon, orthogonal


def matrices() -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(*s, generator=generator)) for s in ((12, 12), (8, 24), (24, 8), (8, 24))]


def groups(parameters) -> list[dict]:
    """Two groups with rates of their own, as layers have."""
    first = {"params": parameters[:2], "lr": 0.02, "weight_decay": 0.1}
    return [first, {"params": parameters[2:], "lr": 0.01, "weight_decay": 0.0}]


def test_steps_are_those_of_torch():
    start, mine = matrices(), matrices()
    theirs = deepcopy(mine)
    ours, torchs = Muon(groups(mine)), torch.optim.Muon(groups(theirs), adjust_lr_fn="match_rms_adamw")
    generator = torch.Generator().manual_seed(1)
    for _ in range(4):
        for a, b in zip(mine, theirs):
            a.grad = torch.randn(a.shape, generator=generator)
            b.grad = a.grad.clone()
        mine[3].grad = theirs[3].grad = None  # it is left where it is
        ours.step()
        torchs.step()
    for a, b, before in zip(mine, theirs, start):
        # torch iterates in bfloat16 wherever it computes; where that is emulated, ours does in float32
        assert (a - b).norm() <= 0.02 * (b - before).norm()
    assert torch.equal(mine[3], start[3]) and not torch.equal(mine[2], start[2])
    assert ours.state_dict()["state"].keys() == torchs.state_dict()["state"].keys()


def test_orthogonalised_matrices_have_singular_values_near_one():
    many = torch.randn(3, 8, 24, generator=torch.Generator().manual_seed(0))
    turned = orthogonal(many, (3.4445, -4.7750, 2.0315), 5).float()
    values = torch.linalg.svdvals(turned)
    assert values.min() > 0.6 and values.max() < 1.3
    alone = orthogonal(many[1:2], (3.4445, -4.7750, 2.0315), 5).float()
    torch.testing.assert_close(turned[1:2], alone, atol=0.02, rtol=0)
