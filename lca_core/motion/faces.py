"""Faces as small tables of ARKit's 52 facial actions, and where the eyes look.

Emotions follow the prototypes of the Facial Action Coding System (Ekman and Friesen), visemes the usual fifteen
mouth shapes of speech less silence.
"""

import numpy as np

from lca_core.body.layout import ACTIONS

_EYES_APART = 0.03  # metres, half the distance between the pupils of an average adult
_GAZE_LIMIT = np.radians(26)
_LID_FOLLOWS = np.radians(30)  # the gaze at which an eye's look action is at its full

# Facial actions (0 to 1) of each named face; "Both" stands for Left and Right.
_QUIET = {
    "neutral": {},
    "blink": {"eyeBlinkBoth": 1.0},
    "smile": {"mouthSmileBoth": 0.8, "cheekSquintBoth": 0.4, "eyeSquintBoth": 0.2},
    "laugh": {"mouthSmileBoth": 1.0, "jawOpen": 0.45, "cheekSquintBoth": 0.6, "eyeSquintBoth": 0.4},
    "open": {"jawOpen": 0.8},
    "kiss": {"mouthPucker": 1.0, "eyeBlinkBoth": 0.3},
    "frown": {"browDownBoth": 0.8, "mouthFrownBoth": 0.6, "mouthPressBoth": 0.3},
    "sad": {"browInnerUp": 0.8, "mouthFrownBoth": 0.7, "mouthShrugLower": 0.4},
    "puff": {"cheekPuff": 0.9, "mouthPressBoth": 0.3},
}
_EMOTIONS = {
    "anger": {"browDownBoth": 1.0, "noseSneerBoth": 0.5, "eyeSquintBoth": 0.5, "mouthPressBoth": 0.6,
              "mouthRollLower": 0.2, "jawForward": 0.2},
    "contempt": {"mouthDimpleLeft": 0.9, "mouthSmileLeft": 0.5, "mouthPressLeft": 0.4, "eyeSquintBoth": 0.15},
    "disgust": {"noseSneerBoth": 0.9, "mouthUpperUpBoth": 0.6, "browDownBoth": 0.4, "eyeSquintBoth": 0.3,
                "mouthFrownBoth": 0.25},
    "fear": {"browInnerUp": 0.9, "browOuterUpBoth": 0.4, "browDownBoth": 0.3, "eyeWideBoth": 0.9,
             "mouthStretchBoth": 0.7, "jawOpen": 0.3},
    "happiness": {"mouthSmileBoth": 1.0, "cheekSquintBoth": 0.7, "eyeSquintBoth": 0.3, "mouthUpperUpBoth": 0.15,
                  "jawOpen": 0.1},
    "sadness": {"browInnerUp": 0.9, "browDownBoth": 0.25, "mouthFrownBoth": 0.8, "mouthShrugLower": 0.4,
                "eyeSquintBoth": 0.15},
    "surprise": {"jawOpen": 0.6, "browInnerUp": 0.9, "browOuterUpBoth": 0.8, "eyeWideBoth": 0.8},
}  # fmt: skip
_LOPSIDED = {
    "wink": {"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.5, "cheekSquintLeft": 0.5},
    "wink_right": {"eyeBlinkRight": 1.0, "mouthSmileRight": 0.5, "cheekSquintRight": 0.5},
    "smirk": {"mouthSmileRight": 0.8, "mouthDimpleRight": 0.5, "browOuterUpRight": 0.6},
    "brow_left": {"browOuterUpLeft": 1.0, "browInnerUp": 0.2, "browDownRight": 0.5},
    "brow_right": {"browOuterUpRight": 1.0, "browInnerUp": 0.2, "browDownLeft": 0.5},
    "mouth_left": {"mouthLeft": 0.7, "jawLeft": 0.3},
    "mouth_right": {"mouthRight": 0.7, "jawRight": 0.3},
    "snarl": {"noseSneerLeft": 1.0, "mouthUpperUpLeft": 0.9, "browDownLeft": 0.5},
}
_VISEMES = {
    "aa": {"jawOpen": 0.6, "mouthLowerDownBoth": 0.3},
    "eh": {"jawOpen": 0.3, "mouthStretchBoth": 0.3, "mouthUpperUpBoth": 0.2},
    "ee": {"jawOpen": 0.15, "mouthStretchBoth": 0.6, "mouthSmileBoth": 0.25},
    "oh": {"jawOpen": 0.4, "mouthFunnel": 0.8},
    "oo": {"jawOpen": 0.12, "mouthPucker": 0.9},
    "mm": {"mouthPressBoth": 0.6, "mouthRollLower": 0.3, "mouthRollUpper": 0.3},
    "ff": {"mouthRollLower": 0.7, "mouthUpperUpBoth": 0.3, "jawOpen": 0.08},
    "th": {"jawOpen": 0.2, "tongueOut": 0.4, "mouthUpperUpBoth": 0.15},
    "dd": {"jawOpen": 0.18, "mouthLowerDownBoth": 0.3, "mouthUpperUpBoth": 0.15},
    "kk": {"jawOpen": 0.22, "mouthStretchBoth": 0.2, "mouthShrugUpper": 0.15},
    "ch": {"jawOpen": 0.1, "mouthFunnel": 0.5, "mouthPucker": 0.35, "mouthUpperUpBoth": 0.2},
    "ss": {"jawOpen": 0.05, "mouthStretchBoth": 0.35, "mouthLowerDownBoth": 0.4, "mouthUpperUpBoth": 0.2},
    "nn": {"jawOpen": 0.14, "mouthLowerDownBoth": 0.2, "mouthDimpleBoth": 0.2},
    "rr": {"jawOpen": 0.16, "mouthPucker": 0.5, "mouthFunnel": 0.25},
}
EMOTIONS, VISEMES, LOPSIDED = tuple(_EMOTIONS), tuple(_VISEMES), tuple(_LOPSIDED)
FACES = _QUIET | _EMOTIONS | _LOPSIDED | _VISEMES


def face(name: str, amount: float = 1.0) -> np.ndarray:
    """Facial actions float32 [52] of one of FACES, or of one of ACTIONS alone, scaled by `amount`.

    ValueError when `name` is neither.
    """
    if name not in FACES and name not in ACTIONS:
        raise ValueError(f"no face is called {name!r}; choose one of {', '.join((*FACES, *ACTIONS))}")
    return _actions(FACES.get(name, {name: 1.0}), amount)


def _actions(table: dict[str, float], amount: float) -> np.ndarray:
    """float32 [52] of actions by name, scaled by `amount`."""
    actions = np.zeros(len(ACTIONS), np.float32)
    for action, value in table.items():
        names = [action.replace("Both", s) for s in ("Left", "Right")] if action.endswith("Both") else [action]
        for n in names:
            actions[ACTIONS.index(n)] = amount * value
    return actions


# Faces that move far, one of which leads in two faces of five.
_LEADS = ({"jawOpen": 1.0}, {"mouthSmileBoth": 1.0}, {"mouthPucker": 1.0}, {"eyeBlinkBoth": 1.0})
_KINDS = {"neutral": 0.06, "named": 0.32, "led": 0.44, "speech": 0.18}


def random_face(generator: np.random.Generator) -> np.ndarray:
    """A face [52], faint and extreme ones alike; one in four is lopsided.

    Neutral (one in sixteen), one of FACES, one that an open jaw, a smile, a pucker or a blink leads with other actions
    beside it, or speech with a mood.
    """
    kind = generator.choice(list(_KINDS), p=list(_KINDS.values()))
    if kind == "neutral":
        return face("neutral")
    if kind == "named":
        actions = face(str(generator.choice(list(FACES)[1:])), generator.uniform(0.2, 1.0))
    elif kind == "led":
        lead = _LEADS[generator.integers(len(_LEADS))]
        actions = _actions(lead, generator.uniform(0.4, 1.0))
        for name in generator.choice(_BESIDE, generator.integers(1, 4), replace=False):
            actions = np.maximum(actions, _actions({str(name): 1.0}, generator.uniform(0.2, 0.9)))
    else:
        actions = face(str(generator.choice(VISEMES)), generator.uniform(0.5, 1.2))
        actions = actions + face(str(generator.choice(EMOTIONS)), generator.uniform(0.1, 0.5))
    if generator.random() < 0.25:
        weaker = str(generator.choice(("Left", "Right")))
        fainter = [name.endswith(weaker) and name not in ("jawLeft", "jawRight") for name in ACTIONS]
        actions = np.where(fainter, generator.uniform(0, 0.6) * actions, actions)
    return settled(np.clip(actions, 0, 1).astype(np.float32))


# What goes with a leading action; the eyes' look actions follow the gaze.
_BESIDE = (
    "browDownBoth", "browInnerUp", "browOuterUpBoth", "cheekSquintBoth", "eyeSquintBoth", "eyeWideBoth", "jawLeft",
    "jawRight", "jawForward", "mouthDimpleBoth", "mouthFrownBoth", "mouthFunnel", "mouthLeft", "mouthLowerDownBoth",
    "mouthPressBoth", "mouthRight", "mouthRollLower", "mouthShrugLower", "mouthStretchBoth", "mouthUpperUpBoth",
    "noseSneerBoth", "cheekPuff",
)  # fmt: skip
_CLOSE, _WIDEN = ("eyeSquint", "eyeLookDown"), ("eyeWide", "eyeLookUp")


def settled(actions: np.ndarray) -> np.ndarray:
    """Actions [..., 52] that a face can make together: lids that close leave less for squints, wide eyes and looks, and
    lips closed over the jaw no more than it is open."""
    actions = np.array(actions, np.float32)
    at = ACTIONS.index
    for side in ("Left", "Right"):
        left_over = 1 - actions[..., at(f"eyeBlink{side}")]
        for name in (*_CLOSE, *_WIDEN):
            actions[..., at(name + side)] *= left_over
    jaw, closed = at("jawOpen"), at("mouthClose")
    actions[..., closed] = np.minimum(actions[..., closed], actions[..., jaw])
    return actions


def gaze_at(target: np.ndarray) -> np.ndarray:
    """gaze float32 [..., 4] of eyes that converge on `target` [..., 3], and no further than 26 degrees from ahead.

    target: metres from the point between the eyes, in the head's axes: x to the person's left, y up, z forward.
    """
    x, y, z = np.moveaxis(np.asarray(target, float), -1, 0)
    angles = []
    for offset in (_EYES_APART, -_EYES_APART):
        angles += [np.arctan2(x - offset, z), np.arctan2(y, np.hypot(x - offset, z))]
    return np.clip(np.stack(angles, -1), -_GAZE_LIMIT, _GAZE_LIMIT).astype(np.float32)


def gaze_target(yaw: float, pitch: float, distance: float) -> np.ndarray:
    """The point [3] that `gaze_at` looks at: radians from straight ahead, metres away."""
    return distance * np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])


def random_gaze(generator: np.random.Generator) -> np.ndarray:
    """gaze [4] within about 25 degrees sideways and 15 up or down, both eyes on one point 0.5 to 4 metres away."""
    yaw, pitch = np.radians(np.clip(generator.normal(0, (11, 7)), (-22, -15), (22, 15)))
    return np.clip(gaze_at(gaze_target(yaw, pitch, generator.uniform(0.5, 4.0))), *np.radians((-25, 25)))


def look_actions(gaze: np.ndarray) -> np.ndarray:
    """The eyes' look actions, float32 [..., 52], that go with gaze [..., 4]: lids that follow up and down."""
    actions = np.zeros((*gaze.shape[:-1], len(ACTIONS)), np.float32)
    for side, outward, column in (("Left", 1, 0), ("Right", -1, 2)):
        yaw, pitch = outward * gaze[..., column] / _LID_FOLLOWS, gaze[..., column + 1] / _LID_FOLLOWS
        for action, value in (("Out", yaw), ("In", -yaw), ("Up", pitch), ("Down", -pitch)):
            actions[..., ACTIONS.index(f"eyeLook{action}{side}")] = np.clip(value, 0, 1)
    return actions


def looking(action: str) -> np.ndarray:
    """gaze [4] that goes with one action alone: straight ahead, but where one of the eyes' look actions says."""
    gaze = np.zeros(4, np.float32)
    if action.startswith("eyeLook"):
        left = action.endswith("Left")
        way = action.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")
        outward = 1 if left else -1
        yaw, pitch = {"Out": (outward, 0), "In": (-outward, 0), "Up": (0, 1), "Down": (0, -1)}[way]
        gaze[[0, 1] if left else [2, 3]] = np.radians(22) * np.array([yaw, pitch])
    return gaze
