"""Sliders and buttons of the page and the live viewer, as tables: what each moves of the signal, by how much."""

import re

import numpy as np

from lca_core.body import ACTIONS, theta_slice
from lca_core.motion.faces import FACES, face
from lca_core.motion.poses import HANDS, Pose, hand, theta_from

Move = tuple[str, int, float]  # (part of the signal, place in it, amount for one unit of the slider)
_MIRROR = (1, -1, -1)
_FINGERS = ("index", "middle", "ring", "pinky")
_PHALANGES = (1.0, 1.25, 0.75)  # share of the curl, from the palm on
_FAN = (1.0, 1 / 3, -1 / 3, -1.0)  # of index to pinky
_THUMB = ((0.5, 0.4, -0.35), (0.0, 0.55, -0.2), (0.0, 0.6, -0.2))  # folded over the palm
_MOST = {"tongueOut": 0.5}  # of actions that avatars do not carry to their end: a tongue turns into a pale blotch
_LID_FOLLOWS = 1 / np.radians(30)  # of a look action, for a radian of gaze


def groups() -> list[dict]:
    """All sliders: name, open (whether it is unfolded at first), sliders, and presets (name -> slider -> value)."""
    return [
        {"name": "Body", "open": True, "sliders": _body(), "presets": {}},
        {
            "name": "Fingers",
            "open": False,
            "sliders": _fingers(),
            "presets": {in_words(name): _hands(name) for name in HANDS},
        },
        {"name": "Gaze", "open": True, "sliders": _gaze(), "presets": {}},
        {
            "name": "Face",
            "open": False,
            "sliders": _face(),
            "presets": {in_words(name): _faces(name) for name in FACES},
        },
    ]


def _slider(name: str, label: str, low: float, high: float, moves: list[Move], value: float = 0.0) -> dict:
    """value: at rest. What turns joints or eyes is in radians, shown as degrees; facial actions are shares."""
    angle = any(part != "actions" for part, _, _ in moves)
    return {"name": name, "label": label, "low": low, "high": high, "value": value, "moves": moves, "angle": angle}


def _turns(**joints: tuple[float, float, float]) -> list[Move]:
    """Joints turned by so much about the axes of the T-pose."""
    return [
        ("theta", theta_slice(joint).start + axis, amount)
        for joint, rotation in joints.items()
        for axis, amount in enumerate(rotation)
        if amount
    ]


def _of(side: str, **joints: tuple[float, float, float]) -> list[Move]:
    """The same of a side's joints, as the left one turns."""
    mirror = (1, 1, 1) if side == "left" else _MIRROR
    return _turns(**{f"{side}_{joint}": tuple(a * m for a, m in zip(turn, mirror)) for joint, turn in joints.items()})


def _body() -> list[dict]:
    sliders = [
        _slider("turn", "Turn round", -3.14, 3.14, [("root", 1, 1.0)]),
        _slider("bend", "Bend forward", -0.4, 1.2, _turns(spine3=(1 / 3, 0, 0))),
        _slider("twist", "Twist", -0.9, 0.9, _turns(spine3=(0, 1 / 3, 0))),
        _slider("lean", "Lean", -0.6, 0.6, _turns(spine3=(0, 0, -1 / 3))),
        _slider("nod", "Nod", -0.6, 0.6, _turns(head=(0.5, 0, 0))),
        _slider("look", "Turn the head", -1.1, 1.1, _turns(head=(0, 0.5, 0))),
        _slider("tilt", "Tilt the head", -0.5, 0.5, _turns(head=(0, 0, -0.5))),
    ]
    for side in ("left", "right"):
        label = side.capitalize()
        sliders += [
            _slider(f"{side}_arm", f"{label} arm up", -1.3, 0.9, _of(side, shoulder=(0, 0, 1)), -0.9),
            _slider(f"{side}_reach", f"{label} arm ahead", -0.5, 1.3, _of(side, shoulder=(0, -1, 0))),
            _slider(f"{side}_elbow", f"{label} elbow", 0.0, 2.2, _of(side, elbow=(0, -1, 0))),
            _slider(f"{side}_palm", f"{label} palm up", -1.2, 1.2, _of(side, elbow=(-0.45, 0, 0), wrist=(-0.55, 0, 0))),
            _slider(f"{side}_leg", f"{label} leg ahead", -0.5, 1.4, _of(side, hip=(-1, 0, 0))),
            _slider(f"{side}_spread", f"{label} leg aside", -0.1, 0.7, _of(side, hip=(0, 0, 1))),
            _slider(f"{side}_knee", f"{label} knee", 0.0, 2.0, _of(side, knee=(1, 0, 0))),
        ]
    return sliders


def _fingers() -> list[dict]:
    sliders = []
    for side in ("left", "right"):
        label = side.capitalize()
        thumb = {f"thumb{k}": turn for k, turn in enumerate(_THUMB, 1)}
        sliders.append(_slider(f"{side}_thumb", f"{label} thumb", -0.5, 1.2, _of(side, **thumb)))
        for finger in _FINGERS:
            bend = {f"{finger}{k}": (0, 0, -share) for k, share in enumerate(_PHALANGES, 1)}
            sliders.append(_slider(f"{side}_{finger}", f"{label} {finger}", -0.1, 1.4, _of(side, **bend)))
        fan = {f"{finger}1": (0, -share, 0) for finger, share in zip(_FINGERS, _FAN)}
        sliders.append(_slider(f"{side}_fan", f"{label} spread", -0.05, 0.3, _of(side, **fan)))
    return sliders


def _gaze() -> list[dict]:
    """Lids follow: of two opposed look actions the negative one is held at nought."""

    def looks(**ways: float) -> list[Move]:
        return [("actions", ACTIONS.index(f"eyeLook{way}"), sign * _LID_FOLLOWS) for way, sign in ways.items()]

    aside = looks(OutLeft=1, InLeft=-1, OutRight=-1, InRight=1)
    up = looks(UpLeft=1, UpRight=1, DownLeft=-1, DownRight=-1)
    return [
        _slider("gaze_aside", "To their left", -0.45, 0.45, [("gaze", 0, 1.0), ("gaze", 2, 1.0), *aside]),
        _slider("gaze_up", "Up", -0.35, 0.35, [("gaze", 1, 1.0), ("gaze", 3, 1.0), *up]),
    ]


def _face() -> list[dict]:
    return [
        _slider(name, in_words(name), 0.0, _MOST.get(name, 1.0), [("actions", i, 1.0)])
        for i, name in enumerate(ACTIONS)
    ]


def _faces(name: str) -> dict[str, float]:
    """Slider -> value of one of FACES."""
    return {action: round(float(value), 3) for action, value in zip(ACTIONS, face(name)) if value}


def _hands(name: str) -> dict[str, float]:
    """Slider -> value of both hands in the shape that is nearest to one of HANDS."""
    wanted: Pose = hand("left", name) | hand("right", name)
    sliders = _fingers()
    turns = np.zeros((len(theta_from(wanted)), len(sliders)))
    for column, slider in enumerate(sliders):
        for _, place, amount in slider["moves"]:
            turns[place, column] = amount
    values = np.linalg.lstsq(turns, theta_from(wanted), rcond=None)[0]
    return {s["name"]: round(float(np.clip(v, s["low"], s["high"])), 3) for s, v in zip(sliders, values)}


def in_words(name: str) -> str:
    """A name in words: mouthSmileLeft is "Mouth smile left"."""
    return re.sub("(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").capitalize()
