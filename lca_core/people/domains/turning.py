"""Turning round in place while acting, so that a clip shows the back too."""

import numpy as np
from scipy.spatial.transform import Rotation

from lca_core.body.driving import theta_slice
from lca_core.motion.motions import Motion, gait, grounded

# Who can turn round meanwhile -> whether the legs must step for it, as those that stand still do.
TURNING = {"walk": False, "dance": False, "wave": True, "reach": True, "hands": True}
_LEGS = [f"{side}_{joint}" for side in ("left", "right") for joint in ("hip", "knee", "ankle")]
_JERKY = 0.6  # 0 turns evenly; at 1 the turn stops between two steps


def turned_round(clip: Motion, generator: np.random.Generator, fps: float, steps: bool) -> Motion:
    """The clip [T] by somebody who turns round in place, to the left or to the right, half-way in 1.5 to 2.5 seconds.

    steps: whether the legs step in place instead of what they did. The generator's state decides the curve, as in
    `motion`; the same amount is drawn from it for clips of any length.
    """
    u = generator.uniform
    sense, pace, stride = generator.choice([-1, 1]), np.pi / u(1.5, 2.5), u(1.0, 1.3)
    phase, lift = u(), u(0.25, 0.4)
    times = np.arange(len(clip.theta)) / fps
    step = 4 * np.pi / stride  # radians a second: two steps a stride
    turn = sense * pace * (times - _JERKY * np.sin(step * times) / step)
    theta = clip.theta.copy()
    if steps:
        walking = gait(phase + times / stride, lift, 0.0, 0.0, 1.1)
        for joint in _LEGS:
            theta[:, theta_slice(joint)] = walking[:, theta_slice(joint)]
    turned = Rotation.from_rotvec(np.outer(turn, [0, 1, 0])) * Rotation.from_rotvec(clip.root[:, :3])
    orientation = turned.as_rotvec()
    root = np.concatenate([orientation, grounded(theta, orientation)], 1).astype(np.float32)
    return clip._replace(theta=theta, root=root)
