"""Caps, beanies and hats with a brim: rows of points around the skull, from the lining over the edge to the crown."""

from functools import partial

import numpy as np

from lca_core.people.body.parts import Surface
from lca_core.people.clothes.prints import cloud, logo_ink
from lca_core.people.who.spec import Accessory
from lca_core.people.worn.headform import Head, accessory, direction
from lca_core.people.worn.tube import grid_faces

_AROUND, _UP = 72, 14  # points of a hat around the head, and rings from its band to its crown
_LINING = 3  # rings of its lining
_ROOM = 0.0095  # metres between skull and hat: flattened hair
_THICK = 0.0025  # metres of felt, peak and brim
_TEXTURE = 256
_piece = partial(accessory, part="hat")


def make_hat(hat: Accessory, head: Head, rng: np.random.Generator) -> list[Surface]:
    """A hat on this head: its crown, and what is sewn to it."""
    around = np.broadcast_to(2 * np.pi * np.arange(_AROUND) / _AROUND - np.pi, (_UP, _AROUND))
    low = np.zeros(_AROUND)
    for _ in range(4):  # the elevation at which the hat's surface is at the band's height
        radius = head.skull(around[:1], low[None])[0] + _ROOM
        at = head.marks.center + radius[:, None] * direction(around[0], low)
        low = np.arcsin(((head.band(around[0], at) - head.marks.center[1]) / radius).clip(-0.9, 0.9))
    share = np.linspace(0, 1, _UP)[:, None]
    up = low + (np.pi / 2 - 0.02 - low) * share
    reach = head.skull(around, up) + _ROOM
    build = {"cap": _cap, "beanie": _beanie, "brim_hat": _brim_hat}[hat.kind]
    return build(hat, head, around, up, reach, rng)


def _lining(head: Head, around, up, reach) -> np.ndarray:
    """Rows [_LINING, _AROUND, 3] from the skin inside a hat out to its lower edge: no gap is seen from below."""
    edge = head.marks.center + reach[0][:, None] * direction(around[0], up[0])
    inside = head.marks.center + (reach[0] - _ROOM + 0.0008)[:, None] * direction(around[0], up[0])
    return np.stack([inside + [0, 0.012, 0], inside + [0, 0.001, 0], edge - [0, 0.0008, 0]])


def _clear_of_skull(points: np.ndarray, head: Head) -> np.ndarray:
    """Points [n, m, 3] with room for hair between them and the skull."""
    offset = points - head.marks.center
    far = np.linalg.norm(offset, axis=-1, keepdims=True)
    around, up = np.arctan2(offset[..., 0], offset[..., 2]), np.arcsin(offset[..., 1] / far[..., 0])
    return head.marks.center + offset * np.maximum(1, (head.skull(around, up)[..., None] + _ROOM) / far)


def _closed(rows: np.ndarray, top: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, triangles and texture coordinates (u around, v along the rows) of rows of points that close around."""
    count, around = rows.shape[:2]
    faces = grid_faces(count, around)
    vertices = rows.reshape(-1, 3)
    u = np.tile(np.arange(around) / around, count)
    v = np.repeat(np.linspace(0.01, 0.99, count), around)
    if top is not None:
        ring = (count - 1) * around + np.arange(around)
        cap = np.stack([ring, np.roll(ring, -1), np.full(around, len(vertices))], -1)
        vertices, faces = np.concatenate([vertices, top[None]]), np.concatenate([faces, cap])
        u, v = np.r_[u, 0.5], np.r_[v, 0.995]
    corner = u[faces]
    corner = np.where((np.ptp(corner, axis=1) > 0.5)[:, None] & (corner < 0.25), corner + 1, corner)
    if top is not None:
        corner[-around:, 2] = corner[-around:, :2].mean(1)
    return vertices, faces, np.stack([corner, v[faces]], -1)


def _cap(hat, head, around, up, reach, rng) -> list[Surface]:
    """A baseball cap: six panels, a button and a curved peak."""
    share = np.linspace(0, 1, _UP)[:, None]
    front = np.exp(-((around / 0.9) ** 4))
    reach = reach + 0.008 * np.sin(np.pi * share.clip(0, 0.9) ** 0.8) * (0.4 + front)
    points = head.marks.center + reach[..., None] * direction(around, up)
    rows, top = np.concatenate([_lining(head, around, up, reach), points]), points[-1].mean(0) + [0, 0.0004, 0]
    u, v = _grid()
    panel = np.abs((u * 6 + 0.5) % 1 - 0.5) / 6
    shade = 1 - 0.35 * (panel < 0.0025) + 0.10 * (np.abs(panel - 0.008) < 0.002)
    shade = shade * (1 - 0.25 * (np.abs(v - 0.27) < 0.006))
    base = np.asarray(hat.color)
    albedo = _dyed(base, shade, rng)
    second = _contrast(base) if rng.random() < 0.4 else base
    peak = _peak(points[0], around[0], 0.060 + 0.018 * hat.size)
    button = _button(top + [0, 0.0005, 0], 0.007)
    cloth = (0.9, 0.03)
    badge = _badge(albedo, base, rng) if rng.random() < 0.6 else albedo
    return [_piece(_closed(rows, top), badge, *cloth), _piece(peak, _dyed(second, np.ones_like(u), rng), *cloth),
            _piece(button, _plain(second), *cloth)]  # fmt: skip


def _peak(band: np.ndarray, around: np.ndarray, length: float):
    """A cap's peak: vertices, triangles and texture coordinates; it grows out of the band [_AROUND, 3]."""
    half = np.radians(66)
    columns, rows = 33, 7
    s = np.linspace(-1, 1, columns)
    inner = np.stack([np.interp(s * half, around, band[:, axis]) for axis in range(3)], -1)
    inner[:, 2] -= 0.001
    grow = (1 - s**4) ** 0.5 * length
    share = np.linspace(0, 1, rows)[:, None]
    x = inner[:, 0] * (1 + 0.03 * share)
    z = inner[:, 2] + share * grow
    drop = share * grow * (0.20 + 0.55 * (inner[:, 0] / 0.075) ** 2)
    upper = np.stack([x, inner[:, 1] + 0.0015 - drop, z], -1)
    lower = upper - [0, _THICK, 0]
    loop = np.concatenate([upper, lower[::-1]])  # [2 * rows, columns, 3], round the outer edge
    i, j = np.meshgrid(np.arange(2 * rows - 1), np.arange(columns - 1), indexing="ij")
    a = i * columns + j
    faces = np.stack([np.stack([a, a + columns, a + 1], -1), np.stack([a + 1, a + columns, a + columns + 1], -1)], 2)
    faces = faces.reshape(-1, 3)
    u = np.tile(np.linspace(0, 1, columns), 2 * rows)
    v = np.repeat(np.r_[share[:, 0], share[::-1, 0]], columns)
    return loop.reshape(-1, 3), faces, np.stack([u, v], -1)[faces]


def _button(center: np.ndarray, radius: float):
    turn = 2 * np.pi * np.arange(16) / 16
    rows = np.stack(
        [center + radius * np.stack([c * np.sin(turn), 0 * turn + h, c * np.cos(turn)], -1)
         for c, h in ((1.0, -0.4), (1.0, 0.1), (0.7, 0.4), (0.3, 0.5))]
    )  # fmt: skip
    return _closed(rows, center + [0, 0.52 * radius, 0])


def _beanie(hat, head, around, up, reach, rng) -> list[Surface]:
    """A knitted hat with a turned-up cuff, now and then with a bobble."""
    share = np.linspace(0, 1, _UP)[:, None]
    slouch = 0.005 + 0.024 * hat.size
    reach = reach + slouch * share**2 * (3 - 2 * share) * (1 + 0.3 * np.cos(around + np.pi)) + 0.002
    folds = np.cos(around * 9 + rng.uniform(0, 6.28)) * np.cos(around * 4 + rng.uniform(0, 6.28))
    reach = reach + 0.0015 * folds * np.sin(np.pi * share)
    outwards = direction(around, up)
    points = head.marks.center + reach[..., None] * outwards
    out = outwards[0] * [1, 0, 1]
    high = 0.042 + 0.012 * hat.size
    base = points[0]
    # The cuff leans with the head: its outside follows the hat's own rows from the edge to `high`.
    heights = (points[..., 1] - base[:, 1]).clip(0)
    follow = lambda level: np.stack(  # noqa: E731
        [[np.interp(level, heights[:, j], points[:, j, axis]) for axis in range(3)] for j in range(_AROUND)]
    )
    profile = ((0.0, 0.004), (0.004, 0.0055), (0.5 * high, 0.0058), (high - 0.003, 0.0055), (high, 0.003), (high, 0.0))
    cuff = np.stack([follow(level) + step * out for level, step in profile])
    body = points[1:][heights[1:].min(1) > high + 0.002]
    rows = np.concatenate([_lining(head, around, up, reach), cuff, body])
    top = body[-1].mean(0) + [0, 0.0005, 0]
    u, v = _grid()
    rib = np.cos(2 * np.pi * 70 * u)
    stitch = np.cos(2 * np.pi * (60 * v + 0.5 * np.abs(70 * u % 1 - 0.5)))
    base_color = np.asarray(hat.color)
    albedo = _dyed(base_color, 0.92 + 0.12 * rib + 0.05 * stitch, rng)
    if rng.random() < 0.35:  # rings of another colour
        second = (_contrast(base_color) * 255).astype(np.float32)
        ring = (np.abs(v - 0.62) < 0.035) | (np.abs(v - 0.72) < 0.012)
        albedo = np.where(ring[..., None], (albedo / 255.0 / base_color.clip(0.05) * second), albedo)
        albedo = albedo.clip(0, 255).astype(np.uint8)
    surfaces = [_piece(_closed(rows, top), albedo, 0.95, 0.02)]
    if rng.random() < 0.4:
        surfaces.append(_bobble(top, rng, _contrast(base_color) if rng.random() < 0.5 else base_color))
    return surfaces


def _bobble(top: np.ndarray, rng: np.random.Generator, color: np.ndarray) -> Surface:
    turn, polar = 2 * np.pi * np.arange(32) / 32, np.linspace(-1.4, 1.5, 18)
    turn, polar = np.meshgrid(turn, polar)
    radius = 0.027 * (1 + 0.09 * rng.uniform(-1, 1, turn.shape))
    rows = top + [0, 0.020, 0] + radius[..., None] * direction(turn, polar)
    u, v = _grid()
    return _piece(_closed(rows, rows[-1].mean(0)), _dyed(color, 1 + 0.2 * rng.uniform(-1, 1, u.shape), rng), 1.0, 0.0)


def _brim_hat(hat, head, around, up, reach, rng) -> list[Surface]:
    """A felt or straw hat: straight crown with a dent, ribbon, brim."""
    points = head.marks.center + reach[..., None] * direction(around, up)
    tall = 0.003 + 0.012 * rng.random()
    summit = points[..., 1].max() + tall
    base = points[0]
    share = np.linspace(0, 1, _UP)[:, None]
    # Out to the crown's edge the wall goes up and a little inwards; then the top, dented from front to back.
    wall = (share / 0.62).clip(0, 1)
    middle = base.mean(0)
    taper = 1 - 0.20 * wall**1.5
    inner = np.cos((share - 0.62).clip(0) / 0.38 * np.pi / 2)
    flat = middle + (base - middle)[None] * [1, 0, 1] * (taper * inner)[..., None]
    height = base[:, 1] + (summit - base[:, 1]) * np.sin(wall * np.pi / 2) ** 0.9
    dent = 0.016 * np.exp(-((flat[..., 0] / 0.022) ** 2)) * (share > 0.55) + 0.004 * (share - 0.62).clip(0)
    outer = np.stack([flat[..., 0], height - dent, flat[..., 2]], -1)
    outer = _clear_of_skull(outer, head)
    rows = np.concatenate([_lining(head, around, up, reach), outer])
    top = outer[-1].mean(0)
    width = 0.048 + 0.030 * hat.size
    steps = np.array([0.0, 0.25, 0.5, 0.75, 1.0])[:, None]
    out = direction(around[0], 0 * around[0])
    roll = -0.16 * np.cos(2 * around[0]) - 0.03
    lift = width * steps**1.5 * roll
    upper = base + [0, 0.0012, 0] + (width * steps)[..., None] * out
    upper[..., 1] += lift
    rim = upper[-1:] + 0.6 * _THICK * out - [0, _THICK / 2, 0]
    brim = np.concatenate([upper, rim, upper[::-1] - [0, _THICK, 0]])
    color = np.asarray(hat.color)
    u, v = _grid()
    straw = rng.random() < 0.4
    if straw:
        color = 0.35 * color + 0.65 * np.array([0.80, 0.68, 0.46])
        weave = 1 + 0.12 * np.sign(np.sin(2 * np.pi * 40 * u) * np.sin(2 * np.pi * 24 * v))
    else:
        weave = np.ones_like(u)
    albedo = _dyed(color, weave, rng)
    ribbon = (_contrast(color) * 0.7 * 255).astype(np.uint8)
    rows_v = np.linspace(0.01, 0.99, len(rows))
    low = rows_v[_LINING]
    band = (v > low) & (v < low + 0.12 * (rows_v[-1] - low))
    crown_albedo = np.where(band[..., None], ribbon, albedo)
    return [_piece(_closed(rows, top), crown_albedo, 0.9, 0.03), _piece(_closed(brim), albedo, 0.9, 0.03)]


def _grid() -> tuple[np.ndarray, np.ndarray]:
    axis = (np.arange(_TEXTURE) + 0.5) / _TEXTURE
    return np.meshgrid(axis, 1 - axis)


def _dyed(color: np.ndarray, shade: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cloth of a colour [3] with brightness [h, w], uint8 [h, w, 3]."""
    grain = 1 + 0.03 * rng.standard_normal(shade.shape) + 0.04 * cloud(rng, shade.shape, 24)
    return ((np.asarray(color) * (shade * grain)[..., None]).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def _plain(color: np.ndarray) -> np.ndarray:
    return np.broadcast_to((np.asarray(color).clip(0, 1) * 255).astype(np.uint8), (4, 4, 3)).copy()


def _contrast(color: np.ndarray) -> np.ndarray:
    """A colour that can be told from this one."""
    return color * 0.35 if color.mean() > 0.45 else 0.25 * color + 0.6


def _badge(albedo: np.ndarray, base: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A logo on the front of a cap."""
    u, v = _grid()
    inks = logo_ink((u - 0.5) / 0.05, (v - 0.46) / 0.14, 1 / (0.05 * _TEXTURE), rng)
    color = albedo.astype(np.float32)
    for ink, dye in zip(inks, (_contrast(base), 0.5 * base), strict=True):
        color += (dye * 255 - color) * ink[..., None]
    return color.clip(0, 255).astype(np.uint8)
