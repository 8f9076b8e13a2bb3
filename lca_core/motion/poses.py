"""Poses of body and hands as small tables of angles, and the studio's script that goes through them.

Angles are radians about the axes of the T-pose (x to the person's left, y up, z forward), made for the left side
and mirrored for the right. A pose is a dict joint name -> axis-angle [..., 3]; joints not named are at rest. Every
angle may be a number, or an array [...] of as many moments. The spine's rotation acts three times and the head's
twice (see `lca_core.body.driving`).
"""

from collections.abc import Sequence

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.body.driving import THETA, theta_slice
from lca_core.body.layout import ACTIONS
from lca_core.motion.faces import (
    EMOTIONS,
    LOPSIDED,
    VISEMES,
    face,
    gaze_at,
    gaze_target,
    look_actions,
    looking,
    random_face,
    random_gaze,
    settled,
)

Angle = float | np.ndarray
Pose = dict[str, np.ndarray]
_MIRROR = np.array([1.0, -1.0, -1.0])  # an axis-angle seen in the mirror plane x = 0
_FINGERS = ("index", "middle", "ring", "pinky")


def theta_from(*poses: Pose) -> np.ndarray:
    """theta float32 [..., 138] of the poses laid over each other; later ones win where both name a joint."""
    joints = {joint: rotation for pose in poses for joint, rotation in pose.items()}
    moments = np.broadcast_shapes(*(np.shape(rotation)[:-1] for rotation in joints.values()))
    theta = np.zeros((*moments, THETA), np.float32)
    for joint, rotation in joints.items():
        theta[..., theta_slice(joint)] = rotation
    return theta


def _axis_angle(x: Angle = 0.0, y: Angle = 0.0, z: Angle = 0.0) -> np.ndarray:
    return np.stack(np.broadcast_arrays(*(np.asarray(v, float) for v in (x, y, z))), -1)


def _chained(*turns: np.ndarray) -> np.ndarray:
    """The axis-angle of rotations [..., 3] one within the other, the last acting first."""
    moments = np.broadcast_shapes(*(turn.shape for turn in turns))
    chain = Rotation.identity()
    for turn in turns:
        chain = chain * Rotation.from_rotvec(np.array(np.broadcast_to(turn, moments)).reshape(-1, 3))
    return chain.as_rotvec().reshape(moments)


def arm(side: str, down: Angle = 1.1, swing: Angle = 0.0, forward: Angle = 0.0, elbow: Angle = 0.15,
        twist: Angle = 0.0, wrist: Angle = 0.0, roll: Angle = 0.0) -> Pose:  # fmt: skip
    """One arm. down: from the horizontal T (0) to hanging (1.35), negative is up; swing: hanging arm to the front;
    forward: horizontal arm to the front; elbow: bend; twist: of the upper arm about its axis, positive turns the
    bent forearm up; wrist: bend of the hand towards the palm; roll: of the forearm, positive turns the palm up."""
    # The collar bone shares the raising: shoulders deform badly beyond 70 degrees of their own.
    collar = np.where(np.less(down, 0), np.clip(np.multiply(down, -0.3), 0, 0.4), np.multiply(down, -0.05))
    shoulder = _chained(
        _axis_angle(x=np.negative(swing)),
        _axis_angle(y=np.negative(forward)),
        _axis_angle(z=-down - collar),
        _axis_angle(x=np.negative(twist)),
    )
    # The two bones of the forearm turn about each other: the elbow takes a part of the roll, the wrist the rest.
    pose = {
        "left_collar": _axis_angle(y=np.multiply(forward, -0.15), z=collar),
        "left_shoulder": shoulder,
        "left_elbow": _chained(_axis_angle(y=np.negative(elbow)), _axis_angle(x=np.multiply(roll, -0.45))),
        "left_wrist": _chained(_axis_angle(x=np.multiply(roll, -0.55)), _axis_angle(z=np.negative(wrist))),
    }
    return pose if side == "left" else mirrored(pose)


def leg(side: str, flex: Angle = 0.0, knee: Angle = 0.0, spread: Angle = -0.06, turn: Angle = 0.05,
        ankle: Angle | None = None) -> Pose:  # fmt: skip
    """One leg. flex: thigh to the front; knee: bend; spread: to the side
    (the T-pose stands with its feet apart; -0.1 closes them); turn: foot outwards; ankle: toes up, by
    default what keeps the sole level."""
    level = np.subtract(flex, knee) if ankle is None else np.negative(ankle)
    pose = {
        "left_hip": _chained(_axis_angle(x=np.negative(flex)), _axis_angle(z=spread), _axis_angle(y=turn)),
        "left_knee": _axis_angle(x=knee),
        "left_ankle": _axis_angle(x=np.clip(level, -0.6, 0.6), z=np.multiply(spread, -0.5)),
    }
    return pose if side == "left" else mirrored(pose)


def trunk(bend: Angle = 0.0, turn: Angle = 0.0, lean: Angle = 0.0, nod: Angle = 0.0, look: Angle = 0.0,
          tilt: Angle = 0.0) -> Pose:  # fmt: skip
    """Spine and head, in whole angles: bend forward, turn to the left, lean to the left; head nod, look, tilt."""
    return {
        "spine3": _axis_angle(bend, turn, np.negative(lean)) / 3,
        "head": _axis_angle(nod, look, np.negative(tilt)) / 2,
    }


def hand(side: str, shape: str, amount: float = 1.0) -> Pose:
    """One hand in one of HANDS; `amount` scales every angle."""
    curls, spread, thumb = _HANDS[shape]
    pose = {}
    for i, finger in enumerate(_FINGERS):
        fan = spread * (1.5 - i) / 1.5
        for k in range(3):
            bend = curls[i] * (1.0, 1.25, 0.75)[k]
            pose[f"left_{finger}{k + 1}"] = amount * np.array([0, -fan if k == 0 else 0, -bend])
    for k in range(3):
        pose[f"left_thumb{k + 1}"] = amount * np.array(thumb[k])
    return pose if side == "left" else mirrored(pose)


_FOLDED = ((0.6, 0.3, -0.45), (0, 0.55, -0.25), (0, 0.7, -0.2))  # a thumb over bent fingers
_ACROSS = ((0.5, 0.45, -0.3), (0, 0.6, -0.2), (0, 0.5, -0.1))  # over the palm
_OUT = ((0, -0.25, 0.1), (0, 0, 0), (0, 0, 0))
# Curl of index, middle, ring and pinky (radians at the middle joint), fan between them, three thumb joints.
_HANDS = {
    "flat": ((0.0, 0.0, 0.0, 0.0), 0.0, ((0, 0, 0), (0, 0, 0), (0, 0, 0))),
    "relaxed": ((0.25, 0.32, 0.38, 0.42), 0.02, ((0.1, 0.1, -0.1), (0, 0.15, 0), (0, 0.2, 0))),
    "fist": ((1.35, 1.4, 1.4, 1.4), -0.03, _FOLDED),
    "spread": ((0.0, 0.0, 0.0, 0.0), 0.22, _OUT),
    "point": ((0.03, 1.35, 1.4, 1.4), 0.0, ((0.5, 0.25, -0.35), (0, 0.5, -0.2), (0, 0.6, -0.2))),
    "pinch": ((0.78, 0.35, 0.3, 0.25), 0.04, ((0.65, 0.35, -0.5), (0, 0.35, -0.15), (0, 0.35, 0))),
    "one": ((0.0, 1.4, 1.4, 1.4), 0.0, _FOLDED),
    "two": ((0.0, 0.02, 1.4, 1.4), 0.16, _FOLDED),
    "three": ((0.0, 0.0, 0.05, 1.4), 0.14, _ACROSS),
    "four": ((0.0, 0.0, 0.0, 0.05), 0.14, _ACROSS),
    "five": ((0.05, 0.05, 0.05, 0.08), 0.16, ((0.05, -0.15, 0.05), (0, 0, 0), (0, 0.05, 0))),
    "thumbs_up": ((1.35, 1.4, 1.4, 1.4), -0.03, ((0, -0.45, 0.35), (0, -0.1, 0), (0, -0.15, 0))),
}
HANDS = tuple(_HANDS)
_HAND_SHARES = tuple(0.4 if name == "relaxed" else 0.6 / (len(HANDS) - 1) for name in HANDS)


def mirrored(pose: Pose) -> Pose:
    """The pose seen in a mirror: left and right change places."""
    swap = {"left": "right", "right": "left"}
    result = {}
    for joint, rotation in pose.items():
        side, _, rest = joint.partition("_")
        result[f"{swap[side]}_{rest}" if side in swap else joint] = rotation * _MIRROR
    return result


def standing(generator: np.random.Generator, name: str, hands: tuple[str, str] | None = None) -> np.ndarray:
    """theta [138] of a standing pose: one of STANCES, varied by `generator`. Hands and head vary in all but "calm".

    hands: shapes of the left and the right hand; by default two of HANDS, mostly relaxed.
    """
    u = generator.uniform
    legs = leg("left", u(0, 0.06), u(0.02, 0.1), u(-0.1, 0.03)) | leg("right", u(0, 0.06), u(0.02, 0.1), u(-0.1, 0.03))
    if name == "calm":
        down = u(0.75, 0.95)
        arms = arm("left", down, elbow=0.12) | arm("right", down, elbow=0.12)
        return theta_from(legs, arms, hand("left", "relaxed", 0.6), hand("right", "relaxed", 0.6))
    pieces = [legs, trunk(u(-0.05, 0.2), u(-0.35, 0.35), u(-0.12, 0.12), u(-0.2, 0.25), u(-0.5, 0.5), u(-0.15, 0.15))]
    shapes = hands or generator.choice(HANDS, 2, p=_HAND_SHARES)
    for side, shape in zip(("left", "right"), shapes, strict=True):
        pieces.append(_ARMS[name](side, u))
        pieces.append(hand(side, str(shape), u(0.8, 1.0)))
    if name == "squat":
        flex, knee = u(0.7, 1.1), u(0.9, 1.4)
        pieces.append(leg("left", flex, knee, u(0.0, 0.2)) | leg("right", flex, knee, u(0.0, 0.2)))
        pieces.append(trunk(u(0.3, 0.6), u(-0.1, 0.1), 0, u(-0.3, 0.0)))
    elif name == "stride":
        front, back = u(0.3, 0.6), u(0.15, 0.4)
        legs = leg("left", front, u(0.05, 0.3)) | leg("right", -back, u(0.15, 0.6), ankle=u(-0.2, 0.2))
        pieces.append(legs if u() < 0.5 else mirrored(legs))
    return theta_from(*pieces)


# How each arm is held in a stance; called with the side and a source of uniform numbers.
_ARMS = {
    "relaxed": lambda side, u: arm(side, u(1.1, 1.3), u(-0.15, 0.25), elbow=u(0.1, 0.45)),
    "t": lambda side, u: arm(side, u(-0.15, 0.25), forward=u(-0.1, 0.3), elbow=u(0.05, 0.3)),
    "reach": lambda side, u: arm(side, u(-0.2, 0.9), forward=u(0.6, 1.3), elbow=u(0.1, 0.9)),
    "up": lambda side, u: arm(side, -u(0.6, 1.15), forward=u(0.0, 0.3), elbow=u(0.1, 0.8), twist=u(0.3, 1.2)),
    "wave": lambda side, u: (
        arm(side, -u(0.0, 0.4), elbow=u(1.0, 1.7), twist=u(1.2, 1.6), forward=u(0, 0.3))
        if (side == "right") ^ (u() < 0.3)
        else arm(side, u(1.1, 1.3), elbow=u(0.1, 0.4))
    ),
    "hips": lambda side, u: arm(side, u(0.85, 1.0), swing=-u(0.3, 0.5), elbow=u(1.2, 1.5), twist=-u(0.9, 1.2)),
    "squat": lambda side, u: arm(side, u(0.1, 0.9), forward=u(0.7, 1.2), elbow=u(0.1, 0.8)),
    "stride": lambda side, u: arm(side, u(1.05, 1.25), u(-0.5, 0.6), elbow=u(0.2, 0.9)),
}
STANCES = ("calm", *_ARMS)


# Gazes of the studio's script, radians.
_GAZE_YAWS, _GAZE_PITCHES = np.radians([-22, -11, 0, 11, 22]), np.radians([-14, 0, 14])
_EXTREMES = ("smile", "open", "kiss", "blink", "laugh")
_TURNS = (_EXTREMES, EMOTIONS, (), ACTIONS, _EXTREMES, VISEMES, LOPSIDED)  # (): mixed


def studio_script(count: int, generator: np.random.Generator) -> list[tuple[np.ndarray, ...]]:
    """What the studio asks of a person: `count` moments (theta [138], root [6], gaze [4], actions [52]).

    The first is calm, neutral and looks ahead. Each later one has a new stance, face, gaze and pair of hands. Faces
    take turns between extremes, emotions, mixed ones, actions alone, extremes again, visemes and lopsided ones; within
    each kind, as among gazes, the next is the one least like those before it, so that a few moments span much and many
    repeat little.
    """
    kinds = {
        kind: _unlike(generator, kind, np.stack([face(name) for name in kind]))
        for kind in dict.fromkeys(_TURNS)
        if kind
    }
    grid = np.stack([gaze_at(gaze_target(yaw, pitch, 1.2)) for pitch in _GAZE_PITCHES for yaw in _GAZE_YAWS])
    gazes = _unlike(generator, grid, grid)
    stances, left, right = (_shuffled(generator, names, count) for names in (STANCES[1:], HANDS, HANDS))
    ahead = 0  # gazes of the grid that were taken
    moments = [(standing(generator, "calm"), np.zeros(6, np.float32), np.zeros(4, np.float32), face("neutral"))]
    for i in range(count - 1):
        theta = standing(generator, stances[i], (left[i], right[i]))
        root = np.array([0, generator.uniform(-0.35, 0.35), 0, 0, 0, 0], np.float32)
        kind = _TURNS[i % len(_TURNS)]
        taken = sum(_TURNS[k % len(_TURNS)] == kind for k in range(i))  # faces of this kind so far
        name = kinds[kind][taken % len(kind)] if kind else None
        if name is None:
            gaze, actions = random_gaze(generator), random_face(generator)
        elif name in ACTIONS:
            gaze, actions = looking(name), face(name)
            if name == "mouthClose":  # it closes the lips over an open jaw, and nothing else
                actions = np.maximum(actions, face("jawOpen"))
        else:
            gaze, actions = gazes[ahead % len(gazes)], face(name, generator.uniform(0.7, 1.0))
            ahead += 1
        if name not in ACTIONS:
            actions = settled(np.maximum(actions, look_actions(gaze)))
        moments.append((theta, root, gaze, actions))
    return moments[:count]


def _shuffled(generator: np.random.Generator, names: tuple[str, ...], count: int) -> list[str]:
    """At least `count` names, each once before any comes again."""
    return [str(name) for _ in range(count // len(names) + 1) for name in generator.permutation(names)]


def _unlike(generator: np.random.Generator, items: Sequence, values: np.ndarray) -> list:
    """The items from a random first one on, each next the one whose values [N, D] are farthest from all before."""
    chosen = [int(generator.integers(len(items)))]
    far = np.full(len(items), np.inf)
    while len(chosen) < len(items):
        far = np.minimum(far, np.linalg.norm(values - values[chosen[-1]], axis=1))
        far[chosen] = -1
        chosen.append(int(np.argmax(far * generator.uniform(0.9, 1.0, len(far)))))
    return [items[i] for i in chosen]
