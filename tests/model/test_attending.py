"""Attention in bfloat16 on a CPU: the numbers and gradients of the plain formula, padding left alone."""

import pytest
import torch

from lca_core.model import attending
from lca_core.model.attending import attend


def exact(q, k, v, seen=None):
    """The formula, in float64."""
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    if seen is not None:
        scores = scores.masked_fill(~seen[:, None, None], -torch.inf)
    return scores.softmax(-1) @ v


def streams(dtype: torch.dtype, queries: int = 70, keys: int = 45):
    """Queries, keys and values of three people, four heads, as a layer cuts them out of its numbers."""
    generator = torch.Generator().manual_seed(0)
    wide = [torch.randn(3, n, 4 * 16, generator=generator).bfloat16() for n in (queries, keys, keys)]
    return [x.to(dtype).unflatten(-1, (4, 16)).transpose(1, 2).detach().requires_grad_() for x in wide]


def differentiated(function, tensors, upstream):
    out = function(*tensors)
    return [out, *torch.autograd.grad(out, tensors, upstream.to(out.dtype))]


PADDED = torch.arange(45) < torch.tensor([45, 30, 1])[:, None]
SCATTERED = torch.rand(3, 45, generator=torch.Generator().manual_seed(1)) > 0.3


@pytest.mark.parametrize("seen", [None, PADDED, SCATTERED], ids=["all", "padded", "scattered"])
def test_numbers_and_gradients_are_those_of_the_formula(seen):
    upstream = torch.randn(3, 4, 70, 16, generator=torch.Generator().manual_seed(2)).bfloat16().double()
    truths = differentiated(lambda *qkv: exact(*qkv, seen), streams(torch.float64), upstream)
    found = differentiated(lambda *qkv: attend(*qkv, seen), streams(torch.bfloat16), upstream)
    for value, truth in zip(found, truths, strict=True):
        assert value.dtype == torch.bfloat16
        assert (value.double() - truth).norm() < 0.01 * truth.norm()


def test_padding_has_no_gradient():
    upstream = torch.ones(3, 4, 70, 16)
    _, _, d_k, d_v = differentiated(lambda *qkv: attend(*qkv, PADDED), streams(torch.bfloat16), upstream)
    assert (d_k[1, :, 30:] == 0).all() and (d_v[2, :, 1:] == 0).all() and (d_v[1, :, :30] != 0).any()


def test_more_scores_than_may_be_kept_go_another_way(monkeypatch):
    monkeypatch.setattr(attending, "_MOST", 0)
    monkeypatch.setattr(attending._Attend, "apply", lambda *_: pytest.fail("kept them"))
    assert attend(*streams(torch.bfloat16)).isfinite().all()
