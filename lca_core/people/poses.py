"""Poses of body and hands, and faces, as small tables of angles.

Angles are radians about the axes of the T-pose (x to the person's left, y up, z forward), made for the left side
and mirrored for the right. A pose is a dict joint name -> axis-angle; joints not named are at rest. The spine's
rotation acts three times and the head's twice (see `lca_core.body.driving`).
"""

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.body.driving import THETA, theta_slice
from lca_core.body.layout import ACTIONS

Pose = dict[str, np.ndarray]
_MIRROR = np.array([1.0, -1.0, -1.0])  # an axis-angle seen in the mirror plane x = 0
_FINGERS = ("index", "middle", "ring", "pinky")


def theta_from(*poses: Pose) -> np.ndarray:
    """theta float32 [138] of the poses laid over each other; later ones win where both name a joint."""
    theta = np.zeros(THETA, np.float32)
    for pose in poses:
        for joint, rotation in pose.items():
            theta[theta_slice(joint)] = rotation
    return theta


def arm(side: str, down: float = 1.1, swing: float = 0.0, forward: float = 0.0, elbow: float = 0.15,
        twist: float = 0.0, wrist: float = 0.0) -> Pose:  # fmt: skip
    """One arm. down: from the horizontal T (0) to hanging (1.35), negative is up; swing: hanging arm to the front;
    forward: horizontal arm to the front; elbow: bend; twist: of the upper arm about its axis, positive turns the
    bent forearm up; wrist: bend of the hand towards the palm."""
    # The collar bone shares the raising: shoulders deform badly beyond 70 degrees of their own.
    collar = np.clip(-down * 0.3, -0.05, 0.4) if down < 0 else -0.05 * down
    shoulder = (
        Rotation.from_rotvec([-swing, 0, 0])
        * Rotation.from_rotvec([0, -forward, 0])
        * Rotation.from_rotvec([0, 0, -down - collar])
        * Rotation.from_rotvec([-twist, 0, 0])
    )
    pose = {
        "left_collar": np.array([0, -0.15 * forward, collar]),
        "left_shoulder": shoulder.as_rotvec(),
        "left_elbow": np.array([0, -elbow, 0]),
        "left_wrist": np.array([0, 0, -wrist]),
    }
    return pose if side == "left" else mirrored(pose)


def leg(side: str, flex: float = 0.0, knee: float = 0.0, spread: float = -0.06, turn: float = 0.05,
        ankle: float | None = None) -> Pose:  # fmt: skip
    """One leg. flex: thigh to the front; knee: bend; spread: to the side
    (the T-pose stands with its feet apart; -0.1 closes them); turn: foot outwards; ankle: toes up, by
    default what keeps the sole level."""
    hip = (
        Rotation.from_rotvec([-flex, 0, 0]) * Rotation.from_rotvec([0, 0, spread]) * Rotation.from_rotvec([0, turn, 0])
    )
    level = flex - knee if ankle is None else -ankle
    pose = {
        "left_hip": hip.as_rotvec(),
        "left_knee": np.array([knee, 0, 0]),
        "left_ankle": np.array([np.clip(level, -0.45, 0.6), 0, -0.5 * spread]),
    }
    return pose if side == "left" else mirrored(pose)


def trunk(bend: float = 0.0, turn: float = 0.0, lean: float = 0.0, nod: float = 0.0, look: float = 0.0,
          tilt: float = 0.0) -> Pose:  # fmt: skip
    """Spine and head, in whole angles: bend forward, turn to the left, lean to the left; head nod, look, tilt."""
    return {
        "spine3": np.array([bend, turn, -lean]) / 3,
        "head": np.array([nod, look, -tilt]) / 2,
    }


def hand(side: str, shape: str, amount: float = 1.0) -> Pose:
    """One hand: "relaxed", "fist", "spread", "point", "pinch" or "flat"; `amount` scales every angle."""
    curls, spread, thumb = _HANDS[shape]
    pose = {}
    for i, finger in enumerate(_FINGERS):
        fan = spread * (1.5 - i) / 1.5
        for k in range(3):
            bend = curls[i] * (0.9, 1.1, 0.75)[k]
            pose[f"left_{finger}{k + 1}"] = amount * np.array([0, -fan if k == 0 else 0, -bend])
    for k in range(3):
        pose[f"left_thumb{k + 1}"] = amount * np.array(thumb[k])
    return pose if side == "left" else mirrored(pose)


# Curl of index, middle, ring and pinky (radians at the middle joint), fan between them, three thumb joints.
_HANDS = {
    "flat": ((0.0, 0.0, 0.0, 0.0), 0.0, ((0, 0, 0), (0, 0, 0), (0, 0, 0))),
    "relaxed": ((0.25, 0.32, 0.38, 0.42), 0.02, ((0.1, 0.1, -0.1), (0, 0.15, 0), (0, 0.2, 0))),
    "fist": ((1.35, 1.4, 1.4, 1.4), -0.03, ((0.5, 0.25, -0.35), (0, 0.55, -0.2), (0, 0.7, -0.2))),
    "spread": ((0.0, 0.0, 0.0, 0.0), 0.22, ((0, -0.25, 0.1), (0, 0, 0), (0, 0, 0))),
    "point": ((0.03, 1.35, 1.4, 1.4), 0.0, ((0.5, 0.25, -0.35), (0, 0.5, -0.2), (0, 0.6, -0.2))),
    "pinch": ((0.75, 0.35, 0.3, 0.25), 0.04, ((0.45, 0.2, -0.35), (0, 0.35, -0.1), (0, 0.3, 0))),
}
HANDS = tuple(_HANDS)


def mirrored(pose: Pose) -> Pose:
    """The pose seen in a mirror: left and right change places."""
    swap = {"left": "right", "right": "left"}
    result = {}
    for joint, rotation in pose.items():
        side, _, rest = joint.partition("_")
        result[f"{swap[side]}_{rest}" if side in swap else joint] = rotation * _MIRROR
    return result


def standing(generator: np.random.Generator, name: str) -> np.ndarray:
    """theta [138] of a standing pose: one of STANCES, varied by `generator`. Hands and head vary in all but "calm"."""
    u = generator.uniform
    legs = leg("left", u(0, 0.06), u(0.02, 0.1), u(-0.1, 0.03)) | leg("right", u(0, 0.06), u(0.02, 0.1), u(-0.1, 0.03))
    if name == "calm":
        down = u(0.75, 0.95)
        arms = arm("left", down, elbow=0.12) | arm("right", down, elbow=0.12)
        return theta_from(legs, arms, hand("left", "relaxed", 0.6), hand("right", "relaxed", 0.6))
    pieces = [legs, trunk(u(-0.05, 0.2), u(-0.35, 0.35), u(-0.12, 0.12), u(-0.2, 0.25), u(-0.5, 0.5), u(-0.15, 0.15))]
    for side in ("left", "right"):
        pieces.append(_ARMS[name](side, u))
        pieces.append(hand(side, str(generator.choice(HANDS, p=(0.1, 0.5, 0.12, 0.12, 0.08, 0.08))), u(0.7, 1.0)))
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

# Facial actions (ARKit's, 0 to 1) of each named face; "Both" stands for Left and Right.
FACES = {
    "neutral": {},
    "smile": {"mouthSmileBoth": 0.8, "cheekSquintBoth": 0.4, "eyeSquintBoth": 0.2},
    "laugh": {"mouthSmileBoth": 0.9, "jawOpen": 0.45, "cheekSquintBoth": 0.6, "eyeSquintBoth": 0.4},
    "open": {"jawOpen": 0.7},
    "surprise": {"jawOpen": 0.4, "browInnerUp": 0.9, "browOuterUpBoth": 0.8, "eyeWideBoth": 0.8},
    "frown": {"browDownBoth": 0.8, "mouthFrownBoth": 0.6, "mouthPressBoth": 0.3},
    "sad": {"browInnerUp": 0.8, "mouthFrownBoth": 0.7, "mouthShrugLower": 0.4},
    "anger": {"browDownBoth": 1.0, "noseSneerBoth": 0.6, "eyeSquintBoth": 0.4, "mouthPressBoth": 0.5},
    "disgust": {"noseSneerBoth": 0.9, "mouthUpperUpBoth": 0.6, "browDownBoth": 0.4},
    "blink": {"eyeBlinkBoth": 1.0},
    "wink": {"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.5, "cheekSquintLeft": 0.5},
    "smirk": {"mouthSmileRight": 0.8, "mouthDimpleRight": 0.5, "browOuterUpRight": 0.6},
    "puff": {"cheekPuff": 0.9, "mouthPressBoth": 0.3},
    "mouth_left": {"mouthLeft": 0.7, "jawLeft": 0.3},
    "aa": {"jawOpen": 0.5, "mouthLowerDownBoth": 0.3},
    "ee": {"jawOpen": 0.15, "mouthStretchBoth": 0.6, "mouthSmileBoth": 0.25},
    "oo": {"jawOpen": 0.15, "mouthPucker": 0.8},
    "oh": {"jawOpen": 0.35, "mouthFunnel": 0.7},
    "mm": {"mouthPressBoth": 0.6, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "ff": {"mouthRollLower": 0.7, "mouthUpperUpBoth": 0.3, "jawOpen": 0.08},
}
VISEMES = ("aa", "ee", "oo", "oh", "mm", "ff")


def face(name: str, amount: float = 1.0) -> np.ndarray:
    """Facial actions float32 [52] of one of FACES, scaled by `amount`."""
    actions = np.zeros(len(ACTIONS), np.float32)
    for action, value in FACES[name].items():
        names = [action.replace("Both", s) for s in ("Left", "Right")] if action.endswith("Both") else [action]
        for n in names:
            actions[ACTIONS.index(n)] = amount * value
    return actions


def random_face(generator: np.random.Generator) -> np.ndarray:
    """A face [52]: neutral (one in five), or one of FACES at a random strength, sometimes with a second one."""
    if generator.random() < 0.2:
        return face("neutral")
    names = list(FACES)[1:]
    actions = face(str(generator.choice(names)), generator.uniform(0.5, 1.0))
    if generator.random() < 0.3:
        actions = actions + face(str(generator.choice(names)), generator.uniform(0.2, 0.6))
    return np.clip(actions, 0, 1)


def random_gaze(generator: np.random.Generator) -> np.ndarray:
    """gaze [4] within 25 degrees sideways and 15 up or down, both eyes on one point some metres away."""
    yaw, pitch = np.radians(np.clip(generator.normal(0, (11, 7)), (-24, -15), (24, 15)))
    vergence = np.radians(generator.uniform(0, 1))
    return np.array([yaw - vergence, pitch, yaw + vergence, pitch], np.float32)
