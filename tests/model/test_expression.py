"""Expression codes and the map from facial actions to them."""

import torch

from lca_core.model.expression import ActionMap, ExpressionEncoder


def faces(count: int = 2, px: int = 56) -> torch.Tensor:
    return 0.6 * torch.rand(count, 3, px, px, generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def test_the_code_depends_on_the_face_and_not_on_its_brightness_or_hue():
    torch.manual_seed(0)
    encoder = ExpressionEncoder()
    codes = encoder(faces())
    assert codes.shape == (2, 128)
    assert (codes[0] - codes[1]).abs().max() > 1e-5
    torch.testing.assert_close(encoder(faces() + 0.3), codes, rtol=0, atol=1e-6)
    torch.testing.assert_close(encoder(faces()[:, [2, 0, 1]]), codes, rtol=0, atol=1e-6)


@torch.no_grad()
def test_a_face_crop_of_any_size_will_do():
    assert ExpressionEncoder()(faces(1, px=112)).shape == (1, 128)


def test_the_action_map_finds_an_affine_law():
    generator = torch.Generator().manual_seed(0)
    law, shift = torch.randn(52, 128, generator=generator), torch.randn(128, generator=generator)
    actions = torch.rand(400, 52, generator=generator)
    fitted = ActionMap()
    fitted.fit(actions, actions @ law + shift, ridge=1e-9)
    new = torch.rand(5, 52, generator=generator)
    torch.testing.assert_close(fitted(new), new @ law + shift, rtol=0, atol=1e-3)


def test_the_ridge_keeps_an_action_never_seen_at_zero():
    generator = torch.Generator().manual_seed(0)
    actions = torch.rand(100, 52, generator=generator)
    actions[:, 7] = 0
    fitted = ActionMap()
    fitted.fit(actions, torch.randn(100, 128, generator=generator))
    assert fitted.weight[:, 7].abs().max() < 1e-6
    assert fitted.weight.isfinite().all()
