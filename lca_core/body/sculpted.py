"""The 52 facial actions of ARKit sculpted on a head, and the calm face they start from.

MakeHuman's own actions are ingredients (`source`); what they leave faint or wrong is pulled by `face_pulls`. Amounts
are millimetres of an average adult's head. Meanings: Apple's ARFaceAnchor.BlendShapeLocation.
"""

import numpy as np

from lca_core.body.face_pulls import (
    BODY_OF_LIP,
    CORNER,
    UPPER,
    Face,
)
from lca_core.body.face_regions import EYEBALLS, LEFT_CORNER, LIP_COLUMNS, RIGHT_CORNER, SEAM, TONGUE, FaceRegions
from lca_core.body.layout import ACTIONS

# What the jaw itself does, in eye distances (open) and millimetres.
JAW_ACTIONS = {"jawOpen": {"open": 0.55}, "jawForward": {"forward": 6.0}, "jawLeft": {"left": 7.0},
               "jawRight": {"left": -7.0}}  # fmt: skip
_OPENING = (0.150, 0.195)  # of lids at rest, eye distances
_CORNERS_LEVEL = 0.010  # corners of a calm mouth over its middle, eye distances


def calm(rest: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """The head [V, 3] with a calm face: level corners of the mouth, open lids, brows that do not scowl."""
    face = Face(rest, regions)
    moved = face.zero
    middle = face.seam[[0, LIP_COLUMNS // 2], 1].mean()
    for corner, left in ((LEFT_CORNER, True), (RIGHT_CORNER, False)):
        up = middle + _CORNERS_LEVEL * face.eyes_apart / face.unit - face.seam[corner, 1]
        moved += face.lips(y=up * face.across**2, only=face.side(left))
    for left in (True, False):
        moved += face.brow(1.0, -0.6, "all", left)
        opening = face.opening(left)
        moved += face.lid(upper=1 - np.clip(opening, *_OPENING) / opening, left=left)
    return rest + moved


def sculpted_directions(rest: np.ndarray, regions: FaceRegions, source: np.ndarray) -> np.ndarray:
    """float32 [V, 3, 52]: what each action at 1 adds to a calm head.

    rest: [V, 3] metres in the T-pose, every vertex of base.obj; source: [V, 3, 52], MakeHuman's own directions.
    """
    face = Face(rest, regions)
    sculptor = _Sculptor(face, source)
    directions = np.stack([sculptor(name) for name in ACTIONS], -1)
    directions[np.r_[EYEBALLS]] = 0  # the eye joints alone turn the eyeballs
    return directions.astype(np.float32)


def jaw_directions(face: Face, points: np.ndarray) -> np.ndarray:
    """float32 [n, 3, 52]: what the actions do to points [n, 3] that are fixed to the lower jaw, as its teeth are."""
    directions = np.zeros((*points.shape, len(ACTIONS)), np.float32)
    for name, amounts in JAW_ACTIONS.items():
        directions[..., ACTIONS.index(name)] = face.on_jaw(points, **amounts)
    return directions


class _Sculptor:
    """Each method makes one action, or both sides of one."""

    def __init__(self, face: Face, source: np.ndarray):
        self.face, self.source = face, source

    def __call__(self, name: str) -> np.ndarray:
        for side in ("Left", "Right"):
            if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
                return getattr(self, name.removesuffix(side))(side == "Left")
        return getattr(self, name)()

    def given(self, name: str) -> np.ndarray:
        """MakeHuman's own direction, scaled to the head."""
        return self.source[..., ACTIONS.index(name)] * (self.face.unit * 1000)

    # Brows and eyes

    def browDown(self, left):
        face = self.face
        return face.brow(-5.0, 2.2, "inner", left) + face.brow(-3.4, 0.6, "outer", left) + face.bump(
            (9, 14), (6, 7), z=1.4, left=left
        )  # fmt: skip

    def browInnerUp(self):
        face = self.face
        return sum(face.brow(7.8, 0.8, "inner", left) for left in (True, False))

    def browOuterUp(self, left):
        return self.face.brow(7.8, 0.0, "outer", left) + self.face.lid(-0.05, 0.0, left)

    def eyeBlink(self, left):
        return self.face.lid(1.0, 1.0, left)

    def eyeSquint(self, left):
        face = self.face
        return face.lid(0.20, 1.3, left) + face.bump((31, -18), (13, 7), y=1.6, z=1.0, left=left)

    def eyeWide(self, left):
        return self.face.lid(-0.30, -0.5, left) + self.face.brow(1.2, 0.0, "all", left)

    def eyeLookDown(self, left):
        return self.face.lid(0.45, -0.4, left)

    def eyeLookUp(self, left):
        return self.face.lid(-0.20, 0.5, left) + self.face.brow(0.8, 0.0, "all", left)

    def eyeLookIn(self, left):
        return self.given("eyeLookInLeft" if left else "eyeLookInRight")

    def eyeLookOut(self, left):
        return self.given("eyeLookOutLeft" if left else "eyeLookOutRight")

    # Cheeks and nose

    def cheekSquint(self, left):
        face = self.face
        return face.bump((37, -34), (14, 11), x=0.5, y=4.5, z=2.6, left=left) + face.lid(0.04, 0.8, left)

    def cheekPuff(self):
        face = self.face
        puffed = face.bump((40, -66), (15, 17), x=11.0, z=5.5, both=True)
        puffed += face.bump((0, -56), (22, 6), z=2.4) + face.bump((0, -88), (20, 8), z=1.8)
        return puffed + face.lips(x=-1.2 * face.seam[:, 0] / face.width, z=1.6 * BODY_OF_LIP)

    def noseSneer(self, left):
        face = self.face
        raised = face.bump((12, -42), (7, 8), x=1.0, y=4.2, z=0.6, left=left)
        raised += face.bump((22, -40), (9, 13), y=3.6, z=1.6, left=left) + face.brow(-2.4, 1.6, "inner", left)
        return raised + face.lips(y=3.2 * UPPER * BODY_OF_LIP, only=face.side(left))

    # Jaw

    def jawOpen(self):
        face = self.face
        opened = face.jaw(**JAW_ACTIONS["jawOpen"])
        inward = -1.6 * np.sign(face.seam[:, 0]) * CORNER
        return opened + face.lips(x=inward, y=1.8 * UPPER * BODY_OF_LIP)

    def jawForward(self):
        face = self.face
        return face.jaw(**JAW_ACTIONS["jawForward"]) + face.lips(y=-0.8 * ~UPPER * BODY_OF_LIP)

    def jawLeft(self):
        return self.face.jaw(**JAW_ACTIONS["jawLeft"]) + self.face.lips(x=1.2 * UPPER)

    def jawRight(self):
        return self.face.jaw(**JAW_ACTIONS["jawRight"]) + self.face.lips(x=-1.2 * UPPER)

    # Mouth

    def mouthClose(self):
        """Lips that stay closed over the open jaw: what `jawOpen` does to them, taken back."""
        face = self.face
        opened = self.jawOpen()[face.regions.lips[SEAM]] / face.unit
        meeting = -5.0 * BODY_OF_LIP - 5.0 * CORNER
        x, y, z = (-opened).T
        return face.regions.lip_reach @ (np.stack([x, y + meeting, z - 1.0], -1) * face.unit)

    def mouthSmile(self, left):
        face, t = self.face, self.face.across
        side = face.side(left)
        outward = 7.6 * np.sign(face.seam[:, 0]) * t
        up = 9.6 * t**2.1 + np.where(UPPER, 3.6, -1.2) * BODY_OF_LIP
        smile = face.lips(x=outward, y=up, z=-0.6, only=side)
        smile += face.thinner(True, 0.16, side) + face.thinner(False, 0.10, side)
        smile += face.bump((38, -42), (11, 11), x=2.0, y=4.2, z=5.5, left=left)
        smile += face.bump((27, -54), (4.0, 9), x=1.5, y=1.0, z=-3.4, left=left)
        smile += face.bump((12, -44), (5, 5), x=1.3, y=0.6, left=left)
        return smile + face.lid(0.03, 0.4, left)

    def mouthFrown(self, left):
        face, t = self.face, self.face.across
        side = face.side(left)
        down = -9.0 * t**2.2 + np.where(UPPER, 0.2, 1.4) * BODY_OF_LIP
        frown = face.lips(x=1.2 * np.sign(face.seam[:, 0]) * t, y=down, only=side)
        return frown + face.bump((30, -86), (6, 8), y=-2.0, z=1.4, left=left) + face.bump(
            (12, -98), (12, 8), y=2.0, z=1.2, left=left
        )  # fmt: skip

    def mouthDimple(self, left):
        face, t = self.face, self.face.across
        pulled = face.lips(x=4.8 * np.sign(face.seam[:, 0]) * t**1.5, y=1.2 * CORNER, z=-2.2 * CORNER,
                           only=face.side(left))  # fmt: skip
        return (
            pulled + face.bump((31, -69), (4, 6), z=-2.6, left=left) + face.bump((40, -66), (7, 12), z=1.6, left=left)
        )

    def mouthStretch(self, left):
        face, t = self.face, self.face.across
        y = -4.2 * t**2 + np.where(UPPER, 0.8, -2.2) * BODY_OF_LIP
        return face.lips(x=8.0 * np.sign(face.seam[:, 0]) * t, y=y, z=-0.8, only=face.side(left))

    def mouthPress(self, left):
        face = self.face
        side = face.side(left)
        pressed = face.thinner(True, 0.42, side) + face.thinner(False, 0.42, side)
        pressed += face.lips(x=1.4 * np.sign(face.seam[:, 0]) * CORNER, z=-1.0, only=side)
        return pressed + face.bump((14, -92), (12, 6), y=1.2, z=1.0, left=left)

    def mouthLowerDown(self, left):
        face = self.face
        lateral = BODY_OF_LIP * (0.6 + 0.4 * np.clip(face.across / 0.5, 0, 1))
        return face.lips(x=1.0 * np.sign(face.seam[:, 0]) * ~UPPER * BODY_OF_LIP, y=-6.5 * ~UPPER * lateral,
                         z=-0.6 * ~UPPER, only=face.side(left))  # fmt: skip

    def mouthUpperUp(self, left):
        face = self.face
        lateral = BODY_OF_LIP * (0.65 + 0.35 * np.clip(face.across / 0.5, 0, 1))
        raised = face.lips(y=6.0 * UPPER * lateral, z=0.3 * UPPER, only=face.side(left))
        raised += face.thinner(True, 0.15, face.side(left))
        return raised + face.bump((24, -48), (8, 11), y=2.4, z=1.8, left=left)

    def mouthLeft(self):
        return self._aside(7.0)

    def mouthRight(self):
        return self._aside(-7.0)

    def _aside(self, by: float) -> np.ndarray:
        face = self.face
        ahead = np.clip(face.seam[:, 0] * np.sign(by) / face.width, 0, 1)
        return face.lips(x=by, y=1.4 * ahead * CORNER)

    def mouthFunnel(self):
        face, t = self.face, self.face.across
        open_ = np.where(UPPER, 3.2, -4.4) * np.sqrt(np.clip(1 - t**2, 0, 1))
        funnel = face.lips(x=-0.30 * face.seam[:, 0], y=open_, z=5.5 - 1.0 * t)
        return funnel + face.roll(True, -0.35) + face.roll(False, -0.35)

    def mouthPucker(self):
        face, t = self.face, self.face.across
        pucker = face.lips(x=-0.46 * face.seam[:, 0], y=np.where(UPPER, 0.4, -0.2) * BODY_OF_LIP, z=6.5 - 1.5 * t)
        pucker += face.roll(True, -0.30) + face.roll(False, -0.30)
        return pucker + face.bump((34, -66), (10, 12), x=-2.0, z=-1.5, both=True)

    def mouthRollLower(self):
        return self.face.thinner(False, 0.82) + self.face.lips(
            y=0.4 * ~UPPER * BODY_OF_LIP, z=-1.6 * ~UPPER * BODY_OF_LIP
        )

    def mouthRollUpper(self):
        return self.face.thinner(True, 0.82) + self.face.lips(
            y=-0.4 * UPPER * BODY_OF_LIP, z=-1.6 * UPPER * BODY_OF_LIP
        )

    def mouthShrugLower(self):
        face = self.face
        shrug = face.lips(
            y=np.where(UPPER, 2.6, 3.4) * BODY_OF_LIP - 0.5 * CORNER, z=np.where(UPPER, 1.0, 2.6) * BODY_OF_LIP
        )
        return shrug + face.bump((0, -99), (16, 8), y=3.6, z=1.6) + face.roll(False, -0.35)

    def mouthShrugUpper(self):
        face = self.face
        return face.lips(y=3.6 * UPPER * BODY_OF_LIP, z=2.4 * UPPER * BODY_OF_LIP) + face.roll(True, -0.25)

    def tongueOut(self):
        face = self.face
        out = face.lips(y=np.where(UPPER, 1.6, -3.6) * BODY_OF_LIP, z=0.4)
        out[TONGUE] = self.given("tongueOut")[TONGUE]
        return out
