"""Procedural motion: walk, turn, wave, reach, squat, dance; with living hands, faces and eyes.

Every clip is a smooth curve through key poses (periodic cubic or monotone splines) sampled at the frame rate.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial.transform import Rotation

from lca_core.body.driving import THETA_JOINTS, theta_slice
from lca_core.people.poses import (
    FACES,
    HANDS,
    VISEMES,
    arm,
    face,
    hand,
    leg,
    mirrored,
    random_gaze,
    theta_from,
    trunk,
)

_THIGH, _SHIN, _HIP = 0.41, 0.42, np.array([0.09, -0.08, 0.0])  # metres, an average adult's


class Motion(NamedTuple):
    """theta float32 [T, 138], root [T, 6], gaze [T, 4], actions [T, 52]: `lca_core.body.driving`'s layout."""

    theta: np.ndarray
    root: np.ndarray
    gaze: np.ndarray
    actions: np.ndarray


def motion(name: str, generator: np.random.Generator, n_frames: int, fps: float = 25.0) -> Motion:
    """A clip of `n_frames` at `fps`.

    name: one of MOTIONS (KeyError otherwise). The pelvis moves with the legs so that the lower foot stays near
    the floor of an average adult; `grounded` does it for a pose in general. Walking is on the spot.
    """
    times = np.arange(n_frames) / fps
    theta, turn = MOTIONS[name](generator, times)
    root = np.zeros((n_frames, 6), np.float32)
    root[:, 1] = turn
    root[:, 4] = grounded(theta, root[:, :3])
    gaze, actions = _eyes_and_face(generator, times)
    return Motion(theta.astype(np.float32), root, gaze, actions)


def grounded(theta: np.ndarray, orientation: np.ndarray | None = None) -> np.ndarray:
    """How far the pelvis sinks [T], metres <= 0, for the lower ankle to keep its height; theta [T, 138]."""
    orientation = np.zeros((len(theta), 3)) if orientation is None else orientation
    pelvis = Rotation.from_rotvec(orientation)
    heights = []
    for side, sign in (("left", 1), ("right", -1)):
        hip = Rotation.from_rotvec(theta[:, theta_slice(f"{side}_hip")])
        knee = Rotation.from_rotvec(theta[:, theta_slice(f"{side}_knee")])
        ankle = hip.apply([0, -_THIGH, 0] + knee.apply([0, -_SHIN, 0])) + _HIP * [sign, 1, 1]
        heights.append(pelvis.apply(ankle)[:, 1])
    return -np.minimum(*heights) - (_THIGH + _SHIN - _HIP[1])


def _curve(poses: list[np.ndarray], when: np.ndarray, times: np.ndarray, loop: bool = False) -> np.ndarray:
    """Values [T, D] of a smooth curve through `poses` at the times `when`; a loop repeats after its last time."""
    values = np.stack([*poses, poses[0]] if loop else poses)
    if loop:
        return CubicSpline(when, values, bc_type="periodic")(times)
    return PchipInterpolator(when, values)(np.clip(times, when[0], when[-1]))


def _looped(make: Callable, generator: np.random.Generator, times: np.ndarray, period: float) -> np.ndarray:
    """A cycle of `make(phase)` poses at eight phases, started anywhere."""
    phases = np.arange(8) / 8
    start = generator.uniform(0, period)
    keys = [make(2 * np.pi * p) for p in phases]
    return _curve(keys, np.append(phases, 1.0) * period, times + start, loop=True)


def _steps(generator: np.random.Generator, times: np.ndarray, make: Callable, low: float, high: float) -> np.ndarray:
    """Random poses `make()` held and left every `low`-`high` seconds."""
    when = [0.0]
    while when[-1] < times[-1] or len(when) < 2:
        when.append(when[-1] + generator.uniform(low, high))
    return _curve([make() for _ in when], np.array(when), times)


def _gait(phase: float, stride: float, lift: float, swing: float, elbow: float, hands: tuple) -> np.ndarray:
    """One phase of walking: legs half a cycle apart, arms against the legs."""

    def half(side: str, p: float) -> dict:
        flex = stride * np.sin(p) + 0.05
        knee = 0.1 + lift * np.clip(np.cos(p + 0.35), 0, None) ** 2
        return leg(side, flex, knee, -0.09, ankle=np.clip(-0.9 * (flex - knee) * 0.6, -0.35, 0.25))

    def armed(side: str, p: float) -> dict:
        return arm(side, 1.22, swing * np.sin(p), elbow=elbow + 0.25 * np.sin(p))

    return theta_from(
        half("left", phase), half("right", phase + np.pi), armed("left", phase + np.pi), armed("right", phase),
        trunk(0.06, 0.16 * np.sin(phase), 0.03 * np.cos(phase), 0.02), *hands,
    )  # fmt: skip


def _walk(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = generator.uniform
    stride, lift, swing, elbow = u(0.32, 0.5), u(0.7, 1.0), u(0.25, 0.6), u(0.25, 0.6)
    hands = (hand("left", "relaxed"), hand("right", "relaxed"))
    theta = _looped(lambda p: _gait(p, stride, lift, swing, elbow, hands), generator, times, u(0.95, 1.25))
    return theta, u(-0.3, 0.3) + 0.1 * np.sin(times)


def _turn(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = generator.uniform
    pose = theta_from(
        leg("left", 0.03, 0.08) | leg("right", 0.03, 0.08),
        *(arm(side, u(0.95, 1.25), u(-0.1, 0.2), elbow=u(0.1, 0.4)) for side in ("left", "right")),
        *(hand(side, "relaxed") for side in ("left", "right")),
    )
    hands = (hand("left", "relaxed"), hand("right", "relaxed"))
    steps = _looped(lambda p: _gait(p, 0.12, 0.5, 0.12, 0.3, hands), generator, times, 1.0)
    speed = u(0.5, 1.0) * generator.choice([-1, 1])
    return 0.5 * pose + 0.5 * steps, u(-0.8, 0.8) + speed * times


def _gesture(arms: Callable) -> Callable:
    """A motion of a standing person whose arms go through random poses `arms(generator, side)`."""

    def clip(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        u = generator.uniform

        def pose() -> np.ndarray:
            legs = leg("left", u(0, 0.15), u(0.03, 0.25), u(-0.1, 0.05)) | leg("right", u(0, 0.15), u(0.03, 0.25))
            column = trunk(u(-0.05, 0.2), u(-0.3, 0.3), u(-0.08, 0.08), u(-0.15, 0.2), u(-0.4, 0.4), u(-0.1, 0.1))
            hands = [hand(s, str(generator.choice(HANDS)), u(0.6, 1.0)) for s in ("left", "right")]
            return theta_from(legs, column, arms(generator, "left"), arms(generator, "right"), *hands)

        return _steps(generator, times, pose, 0.7, 1.3), u(-0.3, 0.3) + 0.15 * np.sin(0.7 * times)

    return clip


def _reaching(generator: np.random.Generator, side: str) -> dict:
    u = generator.uniform
    if u() < 0.35:
        return arm(side, u(1.0, 1.3), u(-0.1, 0.3), elbow=u(0.2, 0.8))
    return arm(side, u(-0.7, 0.8), forward=u(0.3, 1.3), elbow=u(0.05, 1.0), twist=u(-0.2, 0.5), wrist=u(-0.3, 0.3))


def _wave(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = generator.uniform
    down, elbow, rate = -u(0.0, 0.35), u(1.1, 1.5), u(1.1, 1.6)
    rest = theta_from(
        leg("left", 0.02, 0.06) | leg("right", 0.05, 0.1),
        trunk(0.0, u(-0.2, 0.2), u(-0.05, 0.05), u(-0.1, 0.1), u(-0.2, 0.2)),
        arm("left", u(1.1, 1.3), elbow=u(0.15, 0.4)), hand("left", "relaxed"), hand("right", "spread", 0.8),
    )  # fmt: skip
    theta = np.stack([
        np.where(
            (pose := theta_from(arm("right", down, elbow=elbow + 0.35 * s, twist=1.45, forward=0.15, wrist=0.15 * s)))
            != 0, pose, rest,
        )
        for s in np.sin(2 * np.pi * rate * times + u(0, 6))
    ])  # fmt: skip
    if u() < 0.4:
        theta = np.stack([_mirrored_theta(t) for t in theta])
    return theta, u(-0.3, 0.3) + 0.05 * np.sin(times)


def _squat(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = generator.uniform
    depth, spread = u(0.8, 1.15), u(0.0, 0.2)
    hands = [hand(side, str(generator.choice(HANDS)), 0.9) for side in ("left", "right")]

    def pose(phase: float) -> np.ndarray:
        a = depth * (0.5 - 0.5 * np.cos(phase))
        legs = leg("left", 0.95 * a, 1.35 * a + 0.05, spread) | leg("right", 0.95 * a, 1.35 * a + 0.05, spread)
        arms = [arm(side, 1.2 - 0.9 * a, forward=1.1 * a, elbow=0.25) for side in ("left", "right")]
        return theta_from(legs, trunk(0.5 * a, nod=-0.25 * a), *arms, *hands)

    return _looped(pose, generator, times, u(2.0, 3.0)), u(-0.4, 0.4) * np.ones(len(times))


def _dance(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    u = generator.uniform

    def pose() -> np.ndarray:
        legs = leg("left", u(0, 0.6), u(0.1, 0.9), u(-0.1, 0.2)) | leg("right", u(0, 0.35), u(0.1, 0.6), u(-0.1, 0.2))
        arms = [
            arm(s, u(-0.9, 1.2), forward=u(0, 1.0), elbow=u(0.1, 1.5), twist=u(-0.2, 1.0)) for s in ("left", "right")
        ]
        column = trunk(u(-0.1, 0.3), u(-0.5, 0.5), u(-0.2, 0.2), u(-0.2, 0.2), u(-0.4, 0.4), u(-0.2, 0.2))
        pieces = legs | arms[0] | arms[1] | column
        hands = [hand(s, str(generator.choice(HANDS)), u(0.6, 1.0)) for s in ("left", "right")]
        return theta_from(pieces if u() < 0.5 else mirrored(pieces), *hands)

    return _steps(generator, times, pose, 0.45, 0.8), 0.6 * np.sin(u(0.8, 1.4) * times + u(0, 6))


def _mirrored_theta(theta: np.ndarray) -> np.ndarray:
    return theta_from(mirrored({j: theta[theta_slice(j)] for j in THETA_JOINTS}))


def _eyes_and_face(generator: np.random.Generator, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """gaze [T, 4] moving every second or two, and actions [T, 52]: talk or moods, with blinks."""
    gaze = _steps(generator, times, lambda: random_gaze(generator), 0.8, 2.0)
    if generator.random() < 0.4:
        viseme = lambda: face(str(generator.choice(VISEMES)), generator.uniform(0.5, 1))  # noqa: E731
        actions = _steps(generator, times, viseme, 0.14, 0.3)
        actions += face("smile", generator.uniform(0, 0.4))
    else:
        moods = [name for name in FACES if name != "blink"]
        mood = lambda: face(str(generator.choice(moods)), generator.uniform(0.2, 1.0))  # noqa: E731
        actions = _steps(generator, times, mood, 0.6, 1.6)
    blink = np.zeros(len(times))
    t = generator.uniform(0, 3)
    while t < times[-1] + 0.2:
        blink = np.maximum(blink, np.exp(-(((times - t) / 0.07) ** 2)))
        t += generator.uniform(2, 5)
    actions = np.maximum(actions, blink[:, None] * face("blink"))
    return gaze.astype(np.float32), np.clip(actions, 0, 1).astype(np.float32)


# Each takes (generator, times) and gives theta [T, 138] and the pelvis's turn about the vertical [T].
MOTIONS = {
    "walk": _walk,
    "turn": _turn,
    "wave": _wave,
    "reach": _gesture(_reaching),
    "squat": _squat,
    "dance": _dance,
}
