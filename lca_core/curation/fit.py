"""The body under the pictures: shape, pose, hands and camera, fitted to what the networks saw.

All pictures of a clip (or all photographs of a person) are fitted at once, by descent through the body's own joints:

    sum of rho(|pi(x_l) - u_l| z / (f s_l))      landmarks of body, hands and face, each in its own standard deviation
    + bones' directions against the network's guess in space
    + |z|^2 for poses theta = mean + axes z, |beta|^2 for the shape, a prior on the focal length
    + how far points of the skin lie outside the matte
    + changes of pose from picture to picture, where time is known

rho is Geman and McClure's, so that what a network invents does not pull. The camera is a pinhole in the origin that
looks along -Z with Y up; the person stands before it. In the spirit of SMPLify (Bogo et al., ECCV 2016). Double
precision, so that what differs from run to run (the order of sums) is lost in rounding to single.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import numpy as np
import roma
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize

from lca_core.body import BodyModel, full_pose, joint_transforms
from lca_core.body.driving import GAZE, ROOT
from lca_core.body.model import blend
from lca_core.curation.crops import FIELD_OF_VIEW
from lca_core.curation.evidence import BONES, Landmarks, Outside, Seen, matte_points
from lca_core.curation.landmarks import POSE, Calibration, calibration, places
from lca_core.threads import torch_on_one_thread

BETAS = 10  # shape numbers that are fitted
_FAR_SKIN = 3.0  # the same of skin and matte
FAR = 8.0  # standard deviations from which on a landmark pulls less and less
LIMBS = [i for i in range(11, 29) if i not in range(17, 23)]  # shoulders to wrists, hips to ankles
TO_CAMERA = torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64)  # from the world's axes to the camera's
_TORSO = [11, 12, 23, 24]
_FOCAL_SD = 0.15  # of the logarithm of the focal length, where it is not known
_TURN_SPEED, _MOVE_SPEED = 1.2, 1.0  # rad/s and m/s by which joints and the pelvis change, root mean square
_BONE_SD = 0.7  # of the network's directions in space, radians
# At first limbs are turned as the network guesses them in space: a hand that begins a metre away, beyond `FAR`, would
# not be pulled to where it was seen, and a leg would end before the other instead of behind it.
_LIMBS_FIRST = {"landmarks": 0.02, "bone_sd": 0.15}
_OUTSIDE_SD = 0.02  # metres by which skin may lie outside a matte
_HIDDEN = 0.04  # metres outside a matte, from which on skin counts as hidden
_SKIN_POINTS, _MATTE_POINTS = 400, 150
_CLOTH, _BARE_SD = 0.05, 0.03  # metres a matte may reach beyond skin (points of which are some 4 cm apart), and more
_DEPTHS = (0.3, 60.0)  # metres
_RATES = {"root": 0.03, "z": 0.1, "betas": 0.05, "log_focal": 0.02}  # Adam's, of the unknowns


@dataclass(frozen=True)
class Fit:
    """A body fitted to T pictures.

    betas float32 [300]; theta [T, 138]; root [T, 6]; focal [T]: in pictures' heights; error [T]: how far limbs'
    landmarks lie from where they were seen, as a share of the body's height in the picture; hidden [T]: share of the
    skin in the picture that the matte does not show.
    """

    betas: np.ndarray
    theta: np.ndarray
    root: np.ndarray
    focal: np.ndarray
    error: np.ndarray
    hidden: np.ndarray


@torch_on_one_thread()
def fit_body(
    frames: Sequence[Seen],
    times: Sequence[float] | None = None,
    focal: float | None = None,
    iterations: int = 200,
    betas: np.ndarray | None = None,
) -> Fit:
    """Fit one person in the pictures of T instants.

    times: seconds of the pictures, where they are of one clip; None: photographs, each a pose of its own. focal: in
    pictures' heights, where it is known (default: fitted, from a phone's). betas [300]: the person's shape, where it is
    known, of which the first ten numbers are taken (default: fitted). ValueError without pictures.
    """
    if not frames:
        raise ValueError("there are no pictures to fit a body to")
    problem = _Problem(frames, times, focal)
    if betas is not None:
        problem.betas = torch.from_numpy(betas[:BETAS]).double()
    problem.place()
    problem.solve(["root"], iterations // 2)
    problem.solve(["root", "z"], iterations // 2, **_LIMBS_FIRST)
    free = ["betas"] * (betas is None) + ["log_focal"] * (focal is None)
    problem.solve(["root", "z", *free], iterations)
    return problem.fit()


@cache
def _known() -> tuple[BodyModel, Calibration]:
    single = calibration()
    numbers = {field.name: getattr(single, field.name).double() for field in fields(single)}
    return BodyModel.load(dtype=torch.float64), Calibration(**numbers)


class _Problem:
    """The unknowns, and what is wrong with them."""

    def __init__(self, frames: Sequence[Seen], times: Sequence[float] | None, focal: float | None):
        self.body, self.known = _known()
        self.seen, self.outside = Landmarks.of(frames), Outside(frames)
        self.filled, self.has_matte = matte_points(frames, _MATTE_POINTS)
        self.pause = None if times is None else torch.from_numpy(np.diff(times).clip(1e-3).astype(float))
        sizes = ((len(frames), self.known.pose_axes.shape[1]), (len(frames), ROOT), BETAS, len(frames))
        self.z, self.root, self.betas, self.log_focal = (torch.zeros(size, dtype=torch.float64) for size in sizes)
        if times is not None:  # one camera
            self.log_focal = self.log_focal[:1].clone()
        self.assumed = focal or 0.5 / np.tan(FIELD_OF_VIEW / 2)
        skin = np.random.default_rng(0).choice(len(self.body.template), _SKIN_POINTS, replace=False)
        everywhere = (self.body.template, self.body.shapedirs, self.body.weights)
        self.skin, self.skin_dirs, self.skin_weights = (x[skin] for x in everywhere)

    @property
    def theta(self) -> Float[Tensor, "T 138"]:
        return self.known.pose_mean + self.z @ self.known.pose_axes.T

    @property
    def focal(self) -> Float[Tensor, "T 1 1"]:
        """One for a clip, one each for photographs; in pictures' heights."""
        return self.assumed * self.log_focal.exp().expand(len(self.root))[:, None, None]

    def posed(self) -> tuple[Float[Tensor, "T L 3"], Float[Tensor, "T N 3"]]:
        """(landmarks, points of the skin) in the camera's axes, metres."""
        T = len(self.root)
        rest = self.body.rest_joints(self.betas[None]).expand(T, -1, -1)
        pose = full_pose(self.theta, self.root, self.root.new_zeros(T, GAZE))
        transforms = joint_transforms(rest, pose, self.root[:, 3:], self.body.parents)[0]
        skin = (self.skin + self.skin_dirs[..., :BETAS] @ self.betas).expand(T, -1, -1)
        marks = places(self.known.offsets, rest, transforms)
        return marks * TO_CAMERA, blend(self.skin_weights, transforms, skin) * TO_CAMERA

    @torch.no_grad()
    def place(self) -> None:
        """Turn the mean pose as the network's guess in space says, and move it to where the landmarks are."""
        turns = roma.rigid_points_registration(self.posed()[0][:, _TORSO], self.seen.world[:, _TORSO])[0]
        flip = torch.diag(TO_CAMERA)
        self.root[:, :3] = roma.rotmat_to_rotvec(flip @ turns @ flip)
        marks, points, weights = self.posed()[0][:, POSE], self.seen.points[:, POSE], self.seen.weights[:, POSE].clone()
        weights[:, :11] *= 0.2  # eleven of the head weigh like two
        rows = points.new_zeros(*points.shape, 3)  # f (x + tx) = u (z + tz)
        rows[..., 0, 0] = rows[..., 1, 1] = self.focal[..., 0]
        rows[..., 2] = -points
        wanted = points * marks[..., 2:] - self.focal * marks[..., :2]
        A, b = ((weights.reshape(*weights.shape, *[1] * (x.ndim - 2)) * x).flatten(1, 2) for x in (rows, wanted))
        moves = torch.linalg.lstsq(A + 1e-9, b[..., None]).solution[..., 0]
        moves[:, 2].clamp_(*_DEPTHS)
        self.root[:, 3:] = moves * TO_CAMERA

    def solve(self, names: Sequence[str], iterations: int, **weights: float) -> None:
        """Change the unknowns of these names so that less is wrong (Adam; L-BFGS loses its way in clamped terms)."""
        unknown = [getattr(self, name) for name in names]
        for x in unknown:
            x.requires_grad_()
        groups = [{"params": [x], "lr": _RATES[name]} for name, x in zip(names, unknown)]
        optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99))
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, iterations)
        for _ in range(iterations):
            optimizer.zero_grad()
            self.loss(**weights).backward()
            optimizer.step()
            schedule.step()
        for x in unknown:
            x.requires_grad_(False)

    def loss(self, landmarks: float = 1.0, bone_sd: float = _BONE_SD) -> Tensor:
        """Half the sum of squares of all that is wrong, in standard deviations; landmarks: weight of theirs."""
        seen, (marks, skin) = self.seen, self.posed()
        off = self.misses(marks)
        squares = off.square().sum(-1) / self.known.sd.square()
        total = landmarks * (seen.weights * squares / (1 + squares / FAR**2)).sum()
        first, second = torch.tensor(BONES).T
        bones = normalize(marks[:, second] - marks[:, first], dim=-1)
        total = total + (seen.bone_weights * (bones - seen.bones).square().sum(-1)).sum() / bone_sd**2
        depth = skin[..., 2].clamp(min=_DEPTHS[0])
        shown, metres = self.focal * skin[..., :2] / depth[..., None], (depth / self.focal[..., 0]).detach()
        outside = (self.outside(shown) * metres / _OUTSIDE_SD).square().clamp(max=_FAR_SKIN**2)
        bare = torch.cdist(self.filled, shown).amin(2) * metres.mean(1, keepdim=True)
        bare = ((bare - _CLOTH).clamp(min=0) / _BARE_SD).square().clamp(max=_FAR_SKIN**2) * self.has_matte[:, None]
        total = total + 33 * (outside.mean(1) + bare.mean(1)).sum()
        total = total + self.z.square().sum() + self.betas.square().sum() + (self.log_focal / _FOCAL_SD).square().sum()
        if self.pause is not None and len(self.root) > 1:
            turns = torch.cat([self.theta, self.root[:, :3]], 1).diff(dim=0) / (_TURN_SPEED * self.pause[:, None])
            moves = self.root[:, 3:].diff(dim=0) / (_MOVE_SPEED * self.pause[:, None])
            total = total + turns.square().sum() + moves.square().sum()
        return total / 2

    def misses(self, marks: Float[Tensor, "T L 3"]) -> Float[Tensor, "T L 2"]:
        """How far landmarks lie from where they were seen, metres at their depth."""
        depth = marks[..., 2:].clamp(min=_DEPTHS[0])
        return (self.focal * marks[..., :2] / depth - self.seen.points) * (depth / self.focal).detach()

    @torch.no_grad()
    def fit(self) -> Fit:
        """The result."""
        marks, skin = self.posed()
        misses = self.misses(marks)[:, LIMBS].norm(dim=-1)
        weights = self.seen.weights[:, LIMBS]
        height = skin[..., 1].amax(1) - skin[..., 1].amin(1)
        error = (weights * misses).sum(1) / weights.sum(1).clamp(min=1e-6) / height
        shown = self.focal * skin[..., :2] / skin[..., 2:].clamp(min=_DEPTHS[0])
        inside = self.outside.inside(shown)
        hidden = (self.outside(shown) * skin[..., 2] / self.focal[..., 0] > _HIDDEN).sum(1) / inside.sum(1).clamp(min=1)
        betas = np.zeros(300, np.float32)
        betas[:BETAS] = self.betas.numpy()
        theta, root, focal, error, hidden = (
            x.numpy().astype(np.float32) for x in (self.theta, self.root, self.focal[:, 0, 0], error, hidden)
        )
        return Fit(betas, theta, root, focal, error, hidden)
