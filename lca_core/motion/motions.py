"""Procedural motion: walk, turn, wave, reach, squat, sit, dance, hands; with living hands, faces and eyes.

A clip is a curve over time: everything random is drawn from streams that start from the generator's state, at a pace
in seconds. So the same state gives the same curve at any frame rate and for any length: every twelfth frame of a clip
at 30 fps is the clip at 2.5 fps, and a longer clip begins as a shorter one. Angles of limbs are interpolated rather
than rotations, so that arms go round the trunk and not through it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator
from scipy.spatial.transform import Rotation

from lca_core.body.driving import THETA_JOINTS, theta_slice
from lca_core.motion.faces import EMOTIONS, VISEMES, face, look_actions, random_face, random_gaze, settled
from lca_core.motion.poses import HANDS, arm, hand, leg, mirrored, theta_from, trunk

# Metres, of an average adult: the hip joint from the pelvis, thigh, shin, and heel and ball of the foot from the ankle.
_HIP, _THIGH, _SHIN = np.array([0.11, -0.05, 0.0]), 0.41, 0.43
_SOLE = np.array([[0.0, -0.098, -0.06], [0.0, -0.098, 0.15]])
_SACCADE = 0.05  # seconds from one fixation to the next
_BLINK = 0.07  # seconds, half the width of a blink

# Flexion in degrees over a stride from heel strike on, every tenth of it (after Winter, Biomechanics of Gait, 1991).
_STRIDE = np.linspace(0, 1, 11)
_HIP_FLEXION = (30, 25, 17, 9, 1, -7, -6, 10, 25, 31, 30)
_KNEE_FLEXION = (5, 17, 14, 8, 6, 11, 34, 60, 52, 22, 5)
_TOES_UP = (0, -5, 3, 7, 9, 5, -15, -8, 2, 2, 0)


class Motion(NamedTuple):
    """theta float32 [T, 138], root [T, 6], gaze [T, 4], actions [T, 52]: `lca_core.body.driving`'s layout."""

    theta: np.ndarray
    root: np.ndarray
    gaze: np.ndarray
    actions: np.ndarray


class _Body(NamedTuple):
    """theta [T, 138], and the pelvis's turn to the left and pitch forward, radians [T] or one for all."""

    theta: np.ndarray
    turn: np.ndarray
    pitch: np.ndarray | float = 0.0


def motion(name: str, generator: np.random.Generator, n_frames: int, fps: float = 25.0) -> Motion:
    """A clip of `n_frames` at `fps`.

    name: one of MOTIONS (KeyError otherwise). The generator's state decides the curve, `n_frames` and `fps` only
    where it is sampled. The pelvis moves with the legs so that the feet of an average adult stay in place and the
    lower one on the floor; walking and turning are on the spot.
    """
    times = np.arange(n_frames) / fps
    body, eyes, mimic = (_stream(generator) for _ in range(3))
    theta, turn, pitch = MOTIONS[name](body, times)
    turn, pitch = (np.broadcast_to(angle, n_frames) for angle in (turn, pitch))
    orientation = Rotation.from_euler("YX", np.stack([turn, pitch], -1)).as_rotvec()
    root = np.concatenate([orientation, grounded(theta, orientation)], 1).astype(np.float32)
    gaze = _glances(eyes, times)
    actions = np.maximum(_expressions(mimic, times), look_actions(gaze))
    return Motion(theta.astype(np.float32), root, gaze, settled(np.clip(actions, 0, 1)))


def grounded(theta: np.ndarray, orientation: np.ndarray) -> np.ndarray:
    """Where an average adult's pelvis goes [T, 3], metres from rest, for the feet to stay where they stand.

    theta [T, 138]; orientation: axis-angle [T, 3] of the pelvis. The lower sole touches the floor at its lower end;
    the middle between the ankles stays in place.
    """
    pelvis = Rotation.from_rotvec(orientation)
    ankles, soles = [], []
    for side, mirror in (("left", [1, 1, 1]), ("right", [-1, 1, 1])):
        hip, knee, foot = (Rotation.from_rotvec(theta[:, theta_slice(f"{side}_{j}")]) for j in ("hip", "knee", "ankle"))
        ankle = hip.apply([0, -_THIGH, 0] + knee.apply([0, -_SHIN, 0])) + _HIP * mirror
        ankles.append(pelvis.apply(ankle))
        soles += [pelvis.apply(ankle + (hip * knee * foot).apply(end))[:, 1] for end in _SOLE]
    middle = (ankles[0] + ankles[1]) / 2
    rest = _HIP[1] - _THIGH - _SHIN + _SOLE[0, 1]
    return np.stack([-middle[:, 0], rest - np.min(soles, 0), -middle[:, 2]], 1)


def _stream(generator: np.random.Generator) -> np.random.Generator:
    """A generator of its own: what is drawn from it leaves the first one as it is."""
    return np.random.default_rng(generator.integers(2**63, size=2))


def _moments(generator: np.random.Generator, times: np.ndarray, low: float, high: float) -> np.ndarray:
    """Moments [K] every `low`-`high` seconds from just before 0 on; the last two lie beyond the last of `times`."""
    when = [-generator.uniform(0, low)]
    while len(when) < 3 or when[-2] <= times[-1]:
        when.append(when[-1] + generator.uniform(low, high))
    return np.array(when)


def _through(
    generator: np.random.Generator, times: np.ndarray, low: float, high: float, draw: Callable
) -> np.ndarray | dict[str, np.ndarray]:
    """Values [T, ...] of a smooth curve that is at a new `draw(stream)` every `low`-`high` seconds.

    draw gives an array, or a dict name -> number; then the values are a dict name -> [T]. The curve never leaves the
    range of the two values it is between.
    """
    when = _moments(_stream(generator), times, low, high)
    stream = _stream(generator)
    drawn = [draw(stream) for _ in when]
    if isinstance(drawn[0], dict):
        values = PchipInterpolator(when, np.array([list(d.values()) for d in drawn]))(times)
        return dict(zip(drawn[0], values.T, strict=True))
    return PchipInterpolator(when, np.stack(drawn))(times)


def _within(**ranges: tuple[float, float]) -> Callable:
    """A draw for `_through`: each name uniformly within its range."""
    return lambda stream: {name: stream.uniform(*r) for name, r in ranges.items()}


def _living_hands(generator: np.random.Generator, times: np.ndarray, low: float, high: float) -> list[dict]:
    """Both hands, each its own way through shapes in random order, none again before all have been."""

    def shapes() -> Callable:
        queue: list[str] = []

        def draw(stream: np.random.Generator) -> np.ndarray:
            if not queue:
                queue.extend(stream.permutation(HANDS))
            pose = hand("left", str(queue.pop()), stream.uniform(0.8, 1.0))
            return np.stack([pose[joint] for joint in _LEFT_HAND])

        return draw

    left, right = (_through(generator, times, low, high, shapes()) for _ in range(2))
    on = lambda values: {joint: values[:, i] for i, joint in enumerate(_LEFT_HAND)}  # noqa: E731
    return [on(left), mirrored(on(right))]


def gait(phase: np.ndarray, stride: float, swing: float, elbow: float, down: float) -> np.ndarray:
    """theta [T, 138] of walking at phases [T] of the stride; stride 1 is an adult's usual pace, 0 stands."""

    def limbs(side: str, p: np.ndarray) -> dict:
        hip, knee, toes = (
            np.radians(stride * CubicSpline(_STRIDE, table, bc_type="periodic")(p % 1))
            for table in (_HIP_FLEXION, _KNEE_FLEXION, _TOES_UP)
        )
        back = -np.cos(2 * np.pi * p)  # the arm against the leg
        upper = arm(side, down, swing * back + 0.05, elbow=elbow + 0.3 * swing * back, roll=-0.2)
        return leg(side, hip, knee + 0.03, -0.08, ankle=toes) | upper | hand(side, "relaxed")

    sway = 2 * np.pi * phase
    column = trunk(0.05, 0.14 * stride * np.cos(sway), 0.03 * np.sin(sway), 0.0, -0.05 * stride * np.cos(sway))
    return theta_from(limbs("left", phase), limbs("right", phase + 0.5), column)


def _walk(generator: np.random.Generator, times: np.ndarray) -> _Body:
    u = generator.uniform
    stride, swing, elbow, down = u(0.75, 1.1), u(0.15, 0.4), u(0.25, 0.6), u(1.08, 1.2)
    phase, yaw = u() + times / u(0.95, 1.25), u(-0.3, 0.3)
    hips = -0.07 * stride * np.cos(2 * np.pi * phase)
    return _Body(gait(phase, stride, swing, elbow, down), yaw + 0.1 * np.sin(times) + hips)


def _turn(generator: np.random.Generator, times: np.ndarray) -> _Body:
    u = generator.uniform
    theta = gait(u() + times / u(0.95, 1.2), u(0.25, 0.4), 0.1, u(0.2, 0.4), u(1.05, 1.2))
    return _Body(theta, u(-0.8, 0.8) + u(0.5, 1.0) * generator.choice([-1, 1]) * times)


def _gesture(arms: Callable, pace: tuple[float, float], hands: tuple[float, float]) -> Callable:
    """A motion of a standing person whose arms go through angles `arms(stream)`, its hands through shapes."""

    def clip(generator: np.random.Generator, times: np.ndarray) -> _Body:
        column = _within(
            bend=(-0.05, 0.15), turn=(-0.25, 0.25), lean=(-0.07, 0.07), nod=(-0.12, 0.18), look=(-0.35, 0.35),
            tilt=(-0.1, 0.1),
        )  # fmt: skip
        stand = _within(flex=(0.0, 0.10), knee=(0.03, 0.18), spread=(-0.07, 0.0))
        pieces = [leg(side, **_through(generator, times, 1.2, 2.2, stand)) for side in ("left", "right")]
        pieces += [arm(side, **_through(generator, times, *pace, arms)) for side in ("left", "right")]
        pieces += [trunk(**_through(generator, times, 0.9, 1.8, column)), *_living_hands(generator, times, *hands)]
        return _Body(theta_from(*pieces), generator.uniform(-0.3, 0.3) + 0.12 * np.sin(0.7 * times))

    return clip


def _reaching(stream: np.random.Generator) -> dict:
    u = stream.uniform
    if u() < 0.35:
        angles = (u(1.05, 1.2), u(-0.1, 0.3), 0.0, u(0.2, 0.7), 0.0, 0.0, u(-0.4, 0.0))
    else:
        angles = (u(-0.7, 0.75), 0.0, u(0.3, 1.2), u(0.08, 0.9), u(-0.1, 0.5), u(-0.3, 0.3), u(-0.6, 0.6))
    return dict(zip(("down", "swing", "forward", "elbow", "twist", "wrist", "roll"), angles, strict=True))


# Upper arms near the trunk, forearms up before chest and face, palms from facing each other to facing ahead.
_SHOWING = _within(down=(0.95, 1.1), swing=(0.45, 0.75), elbow=(1.6, 1.95), twist=(-0.45, -0.1), wrist=(-0.25, 0.25),
                   roll=(-1.3, 0.2))  # fmt: skip


def _wave(generator: np.random.Generator, times: np.ndarray) -> _Body:
    u = generator.uniform
    beat = np.sin(2 * np.pi * u(1.1, 1.6) * times + u(0, 6))
    up = dict(down=-u(0.0, 0.35), elbow=u(1.1, 1.5) + 0.35 * beat, twist=1.45, forward=0.15, wrist=0.15 * beat)
    column = _within(turn=(-0.2, 0.2), lean=(-0.05, 0.05), nod=(-0.1, 0.1), look=(-0.25, 0.25), tilt=(-0.08, 0.08))
    theta = theta_from(
        leg("left", 0.02, 0.06) | leg("right", 0.05, 0.1),
        trunk(**_through(generator, times, 1.0, 2.0, column)),
        arm("left", u(1.08, 1.2), elbow=u(0.15, 0.4), roll=-0.2), arm("right", **up),
        hand("left", "relaxed"), hand("right", "five", u(0.8, 1.1)),
    )  # fmt: skip
    if u() < 0.4:
        theta = theta_from(mirrored({j: theta[:, theta_slice(j)] for j in THETA_JOINTS}))
    return _Body(theta, u(-0.3, 0.3) + 0.05 * np.sin(times))


def _lowered(thigh: np.ndarray, shin: np.ndarray, pitch: np.ndarray, spread: float) -> dict:
    """Both legs with level soles: thighs raised by `thigh` and shins leaning forward by `shin` in the world [T]."""
    return {
        joint: angle
        for side in ("left", "right")
        for joint, angle in leg(side, thigh + pitch, thigh + shin, spread, ankle=shin).items()
    }


def _squat(generator: np.random.Generator, times: np.ndarray) -> _Body:
    u = generator.uniform
    depth, spread = u(0.8, 1.2), u(0.0, 0.2)
    a = depth * (0.5 - 0.5 * np.cos(2 * np.pi * (u() + times / u(2.0, 3.0))))
    legs, hands = _lowered(0.95 * a + 0.02, 0.42 * a + 0.03, 0.3 * a, spread), _living_hands(generator, times, 1.0, 2.0)
    arms = [arm(side, 1.15 - 0.95 * a, forward=1.1 * a, elbow=0.25, roll=-0.2) for side in ("left", "right")]
    theta = theta_from(legs, trunk(0.25 * a, nod=-0.35 * a), *arms, *hands)
    return _Body(theta, u(-0.4, 0.4) * np.ones(len(times)), 0.3 * a)


def _sit(generator: np.random.Generator, times: np.ndarray) -> _Body:
    """Down on a stool that is not there, a while upon it, and up again; the trunk leans over the feet in between."""
    u = generator.uniform
    ends = np.cumsum([u(0.3, 0.7), u(1.2, 1.7), u(1.0, 2.0), u(1.1, 1.6)])  # standing, down, seated, up
    t = (u(0, ends[-1]) + times) % ends[-1]
    seated = _eased((t - ends[0]) / (ends[1] - ends[0])) - _eased((t - ends[2]) / (ends[3] - ends[2]))
    lean = 4 * seated * (1 - seated)
    pitch = 0.35 * lean
    idle = _within(turn=(-0.15, 0.15), lean=(-0.05, 0.05), nod=(-0.1, 0.15), look=(-0.4, 0.4), tilt=(-0.1, 0.1))
    legs = _lowered(u(1.35, 1.5) * seated + 0.02, 0.22 * lean + u(-0.1, 0.05) * seated + 0.02, pitch, u(-0.04, 0.1))
    down, resting = u(1.05, 1.15), u(0.55, 0.75)
    arms = [
        arm(side, down, 0.35 * seated + 0.5 * lean, elbow=0.25 + resting * seated, roll=-0.2 - 0.7 * seated)
        for side in ("left", "right")
    ]
    column = trunk(0.06 + 0.35 * lean, **_through(generator, times, 1.0, 2.0, idle))
    return _Body(theta_from(legs, column, *arms, *(hand(s, "relaxed") for s in ("left", "right"))), u(-0.5, 0.5), pitch)


def _eased(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with the least jerk, as people move."""
    s = np.clip(share, 0, 1)
    return s**3 * (10 - 15 * s + 6 * s**2)


def _dance(generator: np.random.Generator, times: np.ndarray) -> _Body:
    u = generator.uniform
    beat, lift, bounce = 2 * np.pi * (u() + u(0.7, 1.0) * times), u(0.2, 0.6), u(0.15, 0.35)
    legs = [
        leg(side, lift * rise + 0.5 * dip, 1.5 * lift * rise + dip + 0.05, 0.03)
        for side, sign in (("left", 1), ("right", -1))
        for rise, dip in [(np.clip(sign * np.sin(beat), 0, 1) ** 2, bounce * (0.5 - 0.5 * np.cos(2 * beat)))]
    ]
    free = _within(down=(-0.8, 1.05), forward=(0.1, 0.6), elbow=(0.15, 1.3), twist=(0.3, 1.0), roll=(-0.6, 0.6))
    arms = [arm(side, **_through(generator, times, 0.5, 0.9, free)) for side in ("left", "right")]
    loose = _within(bend=(0.0, 0.2), turn=(-0.35, 0.35), nod=(-0.15, 0.2), look=(-0.3, 0.3), tilt=(-0.15, 0.15))
    column = trunk(lean=-0.12 * np.sin(beat), **_through(generator, times, 0.6, 1.1, loose))
    theta = theta_from(*legs, *arms, column, *_living_hands(generator, times, 0.6, 1.2))
    return _Body(theta, 0.5 * np.sin(u(0.8, 1.4) * times + u(0, 6)))


def _glances(generator: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """gaze [T, 4]: both eyes fixate one point after another, with quick saccades in between."""
    when = _moments(_stream(generator), times, 0.35, 1.8)
    gazes = np.stack([random_gaze(generator) for _ in when])
    i = np.searchsorted(when, times, "right") - 1
    moved = _eased((times - when[i]) / _SACCADE)[:, None]
    return (gazes[np.maximum(i - 1, 0)] * (1 - moved) + gazes[i] * moved).astype(np.float32)


def _expressions(generator: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """actions [T, 52]: talk in a mood, or one face after another; with blinks."""
    if generator.random() < 0.4:
        talk = lambda stream: face(str(stream.choice(VISEMES)), stream.uniform(0.5, 1.2))  # noqa: E731
        mood = face(str(generator.choice(("smile", *EMOTIONS))), generator.uniform(0.1, 0.8))
        actions = _through(generator, times, 0.14, 0.3, talk) + mood
    else:
        actions = _through(generator, times, 0.6, 1.6, random_face)
    blinks = _moments(_stream(generator), times, 2.0, 5.0)
    closed = np.exp(-(((times[:, None] - blinks) / _BLINK) ** 2)).max(1)
    return np.maximum(actions, closed[:, None] * face("blink"))


_LEFT_HAND = tuple(joint for joint in THETA_JOINTS if joint in hand("left", "flat"))
# Each takes (generator, times [T]) and gives a _Body.
MOTIONS = {
    "walk": _walk,
    "turn": _turn,
    "wave": _wave,
    "reach": _gesture(_reaching, (0.8, 1.4), (0.8, 1.6)),
    "squat": _squat,
    "sit": _sit,
    "dance": _dance,
    "hands": _gesture(_SHOWING, (1.2, 2.4), (0.6, 1.0)),
}
