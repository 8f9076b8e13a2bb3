"""The encoder: image tokens and geometry tokens through L layers of three attentions.

Each layer: attention among image tokens, attention among geometry tokens, then multimodal attention in which
the geometry tokens read the image tokens; each followed by a residual, and a feed-forward block per stream.
Pre-norm, GELU, four-fold hidden size, as in the closest public system (LHM, arXiv 2503.10625).
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from lca_core.model.attending import attend
from lca_core.model.claims import Claim


class Attention(nn.Module):
    """Multi-head attention of `queries` over `context` (`attend`)."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads = heads
        self.norm, self.norm_context = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.query, self.key_value, self.out = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim), nn.Linear(dim, dim)

    def forward(
        self, queries: Float[Tensor, "B Q D"], context: Float[Tensor, "B K D"], seen: Bool[Tensor, "B K"] | None = None
    ) -> Float[Tensor, "B Q D"]:
        """The residual update of the queries. `seen` is False for padding in the context."""
        q = self._heads(self.query(self.norm(queries)))
        k, v = (self._heads(x) for x in self.key_value(self.norm_context(context)).chunk(2, -1))
        return self.out(attend(q, k, v, seen).transpose(1, 2).flatten(2))

    def weights(
        self, queries: Float[Tensor, "B Q D"], context: Float[Tensor, "B K D"], seen: Bool[Tensor, "B K"] | None = None
    ) -> Float[Tensor, "B heads Q K"]:
        """The attention maps themselves (Fig. 6), computed apart from the fast path; 0 at padding."""
        q = self._heads(self.query(self.norm(queries)))
        k = self._heads(self.key_value(self.norm_context(context)).chunk(2, -1)[0])
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if seen is not None:
            scores = scores.masked_fill(~seen[:, None, None], -torch.inf)
        return scores.softmax(-1)

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Sequential):
    """Norm, expand fourfold, GELU, contract."""

    def __init__(self, dim: int):
        super().__init__(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))


class Layer(nn.Module):
    """One encoder layer over both streams."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.image_attention, self.geometry_attention = Attention(dim, heads), Attention(dim, heads)
        self.multimodal_attention = Attention(dim, heads)
        self.image_forward, self.geometry_forward = FeedForward(dim), FeedForward(dim)

    def forward(self, image: Tensor, geometry: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """(image tokens [B, K, D], geometry tokens [B, G, D]) -> the same, updated."""
        image, geometry = self.before_multimodal(image, geometry, seen)
        geometry = geometry + self.multimodal_attention(geometry, image, seen)
        return image, geometry + self.geometry_forward(geometry)

    def before_multimodal(self, image: Tensor, geometry: Tensor, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Both streams after their own attention, as multimodal attention finds them."""
        image = image + self.image_attention(image, image, seen)
        image = image + self.image_forward(image)
        return image, geometry + self.geometry_attention(geometry, geometry)


class Encoder(nn.Module):
    """L layers; returns the geometry tokens T_gs."""

    claim = Claim("decoders", names=("norm",))

    def __init__(self, dim: int, depth: int, heads: int):
        super().__init__()
        self.layers = nn.ModuleList(Layer(dim, heads) for _ in range(depth))
        for number, layer in enumerate(self.layers, 1):
            layer.claim = Claim(number, hidden=("",))
        self.norm = nn.LayerNorm(dim)

    def forward(
        self, image: Float[Tensor, "B K D"], geometry: Float[Tensor, "B G D"], seen: Bool[Tensor, "B K"] | None = None
    ) -> Float[Tensor, "B G D"]:
        """image: tokens of all pictures of a person; seen: False where a picture is padding."""
        for layer in self.layers:
            image, geometry = layer(image, geometry, seen)
        return self.norm(geometry)

    def attention(
        self, image: Float[Tensor, "B K D"], geometry: Float[Tensor, "B G D"], seen: Bool[Tensor, "B K"], rows: Tensor,
        layer: int = -1,
    ) -> Float[Tensor, "B heads A K"]:  # fmt: skip
        """What the geometry tokens of these `rows` [A] read of the image tokens in a layer's multimodal attention."""
        layers = list(self.layers)
        chosen = layers[layer]
        for one in layers[: layers.index(chosen)]:
            image, geometry = one(image, geometry, seen)
        image, geometry = chosen.before_multimodal(image, geometry, seen)
        return chosen.multimodal_attention.weights(geometry[:, rows], image, seen)


def fourier(x: Float[Tensor, "*batch C"], bands: int) -> Float[Tensor, "*batch F"]:
    """Sines and cosines at `bands` octaves beside the values themselves: F = C (1 + 2 bands)."""
    scaled = x[..., None] * (math.pi * 2.0 ** torch.arange(bands, dtype=x.dtype, device=x.device))
    return torch.cat([x, scaled.sin().flatten(-2), scaled.cos().flatten(-2)], -1)
