"""The record types every room shares: a camera, a picture, a person.

Conventions: metres, seconds, radians; world axes as SMPL-X (Y up, the person faces +Z at rest, their
left is +X); OpenCV cameras (x right, y down, z forward), pixel centres at +0.5; images sRGB.
"""

from dataclasses import dataclass, field

import numpy as np

HANDS = ("left_hand", "right_hand")


@dataclass(frozen=True)
class Camera:
    """A pinhole camera.

    viewmat: world to camera, float32 [4, 4]; K: pixels, float32 [3, 3].
    """

    viewmat: np.ndarray
    K: np.ndarray
    width: int
    height: int

    def crop(self, left: float, top: float, size: float, px: int) -> "Camera":
        """The camera of the square crop [left, left + size] x [top, top + size], resized to px x px."""
        scale = px / size
        K = np.array([[scale, 0, -left * scale], [0, scale, -top * scale], [0, 0, 1]], np.float32) @ self.K
        return Camera(self.viewmat, K.astype(np.float32), px, px)


@dataclass(frozen=True)
class Truth:
    """What only a renderer knows of a picture, at the pixels' centres; 0 where nobody is.

    depth: camera z, metres, float32 [H, W]; normals: unit vectors in the world's axes, float32 [H, W, 3]; parts:
    uint8 [H, W], numbered by `lca_core.people.body.parts.PART_IDS`: 0 background, 1 skin, 2 eye, 3 lash, 4 teeth,
    5 tongue, 6 hair, 7 top, 8 bottom (trousers, shorts), 9 shoe, 10 accessory (glasses), 11 coat, 12 hat, 13 skirt
    (dresses too). Sets drawn before 12 and 13 were have hats as 10, skirts and dresses as 8.
    """

    depth: np.ndarray
    normals: np.ndarray
    parts: np.ndarray


@dataclass(frozen=True)
class Picture:
    """Pixels, what belongs to the person, and the camera that took them.

    image: uint8 [H, W, 3] sRGB, as taken (background and all); matte: uint8 [H, W], 255 on the person; truth: of
    digital humans, where it was asked for; hidden: uint8 [H, W], 255 where something before the person is known to
    hide what is behind it, so that the matte says nothing there.
    """

    image: np.ndarray
    matte: np.ndarray
    camera: Camera
    truth: Truth | None = None
    hidden: np.ndarray | None = None


@dataclass(frozen=True)
class Frame:
    """One instant seen by one camera: a full-body picture, its face crop, and the driving signal.

    body: the full-body picture; face: the face crop as a picture of its own (own pixels, own camera), or
    None where no face can be seen. theta [138], root [6] (axis-angle and translation of the pelvis) and
    gaze [4] are float32, as `lca_core.body.driving` lays them out. actions [52] are the facial actions in
    ARKit order where they are known (digital humans), else None. `instant` numbers the pose: pictures
    of one pose from several cameras share it. For tracked (wild) frames the parameters are a tracker's,
    with its errors. light: the name of the light, "" where unknown; environment: float16 [h, w, 3] linear radiance
    from all directions (`lca_core.data.environments.directions`), None where unknown; cloth: whether loose cloth moved
    on its own (simulated) and not with the body. hands: crops of the left and the right hand as pictures of their
    own, None where a hand is hidden. tracked: False where pose and camera could not be told (a photograph of a head
    alone): theta, root and gaze are then zeros and the camera is assumed.
    """

    body: Picture
    face: Picture | None
    theta: np.ndarray
    root: np.ndarray
    gaze: np.ndarray
    actions: np.ndarray | None = None
    instant: int = 0
    light: str = ""
    environment: np.ndarray | None = None
    cloth: bool = False
    hands: tuple[Picture | None, Picture | None] = (None, None)
    tracked: bool = True

    @property
    def pictures(self) -> dict[str, Picture]:
        """All that was taken: "body", and where there are any "face", "left_hand", "right_hand"."""
        named = {"body": self.body, "face": self.face, **dict(zip(HANDS, self.hands))}
        return {name: picture for name, picture in named.items() if picture is not None}


@dataclass(frozen=True)
class Person:
    """Everything recorded of one person in one domain.

    id: e.g. "studio-000012"; domain: one of `lca_core.people.domains.domains.DOMAINS` ("wild" for curated clips and
    photographs too), or "photo" for what an avatar is made of at once; seed: the digital human's, or None;
    betas: float32 [300] shape of the body file; meta: plain JSON (hair, clothes, licence, source ...).
    """

    id: str
    domain: str
    seed: int | None
    betas: np.ndarray
    frames: tuple[Frame, ...]
    meta: dict = field(default_factory=dict)


def split_of(seed: int) -> str:
    """ "train" (0-8,999), "validation" (9,000-9,999) or "test" (10,000-10,999); ValueError for any other seed."""
    if 0 <= seed < 9_000:
        return "train"
    if seed < 10_000 and seed >= 9_000:
        return "validation"
    if 10_000 <= seed < 11_000:
        return "test"
    raise ValueError(f"person seed {seed} is not in 0-10,999")
