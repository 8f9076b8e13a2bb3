"""Garments of digital humans, cut, draped and sewn on their T-pose, and given their fabrics.

Sleeves, shoulders and legs are pieces of MakeHuman's tights helper, eased away from the skin. About the trunk cloth
hangs: it bridges hollows and falls from what is widest above. Skirts and tails are made of rings.
"""

from dataclasses import dataclass, replace

import numpy as np

from lca_core.people.clothes import fabrics
from lca_core.people.clothes.figure import GOWNS, Figure, Fitting, Sewn
from lca_core.people.clothes.garments import lower_end, opening, upper_cut
from lca_core.people.clothes.lowers import briefs, skirt, trousers
from lca_core.people.clothes.tailoring import smoothstep
from lca_core.people.clothes.uppers import covered, upper
from lca_core.people.who.spec import SKIRTS, Garment, PersonSpec

_STREAM = 20


@dataclass(frozen=True)
class Cloth:
    """A garment at rest. vertices float32 [V, 3]; weights float32 [V, 55]; faces int32 [F, 3]; uv float32
    [F, 3, 2]; albedo uint8 [px, px, 3]; hides: bool [body vertices], skin that it covers for certain; free float32
    [V]: 0 where it follows the skin, 1 where it hangs freely."""

    part: str
    vertices: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    albedo: np.ndarray
    hides: np.ndarray
    free: np.ndarray
    roughness: float = 0.9
    specular: float = 0.03


def dress(spec: PersonSpec, rest: np.ndarray, joints: np.ndarray, weights: np.ndarray, px: int) -> list[Cloth]:
    """What a person wears but shoes, from the inside out: bottom, top, coat.

    rest: float32 [V, 3] shaped T-pose in base.obj order; joints [55, 3]; weights [V, 55]; px: texture size. A dress
    is two pieces, skirt and bodice, both of part "skirt"; briefs under skirts are of part "bottom".
    """
    fit = Fitting(rest, joints, weights)

    def finish(part: str, chart: str, garment: Garment, sewn: Sewn) -> Cloth:
        return _finished(part, chart, garment, sewn, fit.figure, px, spec.seed)

    streams = (np.random.default_rng([spec.seed, _STREAM + layer]) for layer in range(3))
    low, high, outer = streams
    bottom = spec.bottom
    if bottom.kind in SKIRTS:
        plain = replace(bottom, kind="leggings", fabric="cotton", pattern="plain")
        below = finish("bottom", "bottom", plain, briefs(fit))
        cloths = [below, finish("skirt", "skirt", bottom, skirt(bottom, fit, low))]
    else:
        cloths = [finish("bottom", "bottom", bottom, trousers(bottom, fit, low))]
    if bottom.kind in GOWNS:
        cloths.append(finish("skirt", "top", bottom, upper(bottom, fit, [], high)))
    elif spec.top is not None:
        top = finish("top", "top", spec.top, upper(spec.top, fit, cloths, high))
        cloths = [_without(cloth, covered(spec.top, fit.figure, cloth.vertices)) for cloth in cloths] + [top]
    if spec.coat is not None:
        coat = finish("coat", "coat", spec.coat, upper(spec.coat, fit, cloths, outer))
        cloths = [_without(cloth, covered(spec.coat, fit.figure, cloth.vertices)) for cloth in cloths] + [coat]
    return cloths


def _finished(part: str, chart: str, garment: Garment, sewn: Sewn, f: Figure, px: int, seed: int) -> Cloth:
    corners = sewn.piece.vertices[sewn.piece.faces]
    uv, edges = (_lower_chart if chart in ("bottom", "skirt") else _upper_chart)(chart, garment, corners, f)
    fabric = fabrics.paint(garment, chart, px, seed, edges)
    return Cloth(
        part, sewn.piece.vertices.astype(np.float32), sewn.piece.weights.astype(np.float32),
        sewn.piece.faces.astype(np.int32), (uv / fabrics.EXTENT).clip(0, 1).astype(np.float32), fabric.albedo,
        sewn.covers, sewn.free.astype(np.float32), fabric.roughness, fabric.specular,
    )  # fmt: skip


def _without(cloth: Cloth, hidden: np.ndarray) -> Cloth:
    keep = ~hidden[cloth.faces].all(1)
    return replace(cloth, faces=cloth.faces[keep], uv=cloth.uv[keep])


def _lower_chart(chart: str, garment: Garment, p: np.ndarray, f: Figure) -> tuple[np.ndarray, fabrics.Edges]:
    """Where corners [F, 3, 3] lie on the cloth [F, 3, 2], metres, and where the garment ends; see fabrics.

    Charts are drawn for people of middle size; the cloth of others is scaled as they are.
    """
    y = p[..., 1]
    if chart == "skirt":
        around = _unroll(p[..., 0], p[..., 2] - f.axis_z)
    else:
        (x, z), side = f.leg_axis(y), np.sign(p[..., 0].mean(1, keepdims=True))
        around = _unroll(p[..., 0] * side - x, p[..., 2] - z)
    hem = fabrics.WAIST_V + (lower_end(garment, f) - f.waist_y) / f.size
    uv = fabrics.FRONT_U + fabrics.RADIUS[chart] * around, fabrics.WAIST_V + (y - f.waist_y) / f.size
    return np.stack(uv, -1), fabrics.Edges(hem=hem)


def _upper_chart(chart: str, garment: Garment, p: np.ndarray, f: Figure) -> tuple[np.ndarray, fabrics.Edges]:
    """As `_lower_chart`. Above the armpits front and back are flat pieces that meet in a seam on the shoulders."""
    cut, radius, size = upper_cut(garment, f), fabrics.RADIUS[chart], f.size
    x, y, z = np.moveaxis(p, -1, 0)
    middle = p.mean(1)
    side = np.sign(middle[:, :1])

    def height(at):
        return (fabrics.COAT_V if chart == "coat" else fabrics.TORSO_V) + (at - f.hip_y) / size + 0.06

    flat = smoothstep(f.armpit_y - 0.10 * size, f.armpit_y + 0.03 * size, y)
    seam_z = np.interp(np.abs(x), [f.collar_half, f.shoulder[0]], [f.collar_middle[2], f.shoulder[2]])
    front = ((z - seam_z).mean(1) > 0)[:, None]
    across = np.where(front, x / size, np.pi * radius * side - x / size)
    u = fabrics.FRONT_U + (1 - flat) * radius * _unroll(x, z - f.axis_z, side) + flat * across
    v = height(y) + 0.7 * flat * (0.08 - np.abs(z - seam_z) / size)
    cuff = None
    if cut.reach is not None:
        on_arm = (np.abs(middle[:, 0]) > f.shoulder[0] + 0.015 * size) & (middle[:, 1] > f.armpit_y - 0.02 * size)
        arm = fabrics.RADIUS["sleeve"] * _unroll(y - f.shoulder[1], z - f.shoulder[2])
        u = np.where(on_arm[:, None], fabrics.SLEEVE_U + (np.abs(x) - f.shoulder[0]) / size, u)
        v = np.where(on_arm[:, None], fabrics.SLEEVE_AXIS_V + arm, v)
        cuff = fabrics.SLEEVE_U + cut.reach * f.arm / size
    neck, fronts = f.collar_middle[1], None
    if cut.open:  # buttons begin at the waist, below the lapels
        neck, fronts = f.waist_y + 0.2 * size, radius * float(opening(cut, f)(f.waist_y)) / (0.14 * size)
    return np.stack([u, v], -1), fabrics.Edges(float(height(cut.hem)), cuff, float(height(neck)), fronts)


def _unroll(across: np.ndarray, forward: np.ndarray, side: np.ndarray | None = None) -> np.ndarray:
    """Angles [F, 3] about an axis, 0 at the front, whole triangles on one side of the seam at the back: on `side`
    [F, 1] if given."""
    angle = np.arctan2(across, forward)
    if side is None:
        behind = (angle.max(1) - angle.min(1) > np.pi)[:, None] & (angle < 0)
        return np.where(behind, angle + 2 * np.pi, angle)
    return np.where((np.abs(angle) > np.pi / 2) & (angle * side < 0), angle + 2 * np.pi * side, angle)
