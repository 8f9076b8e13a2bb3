"""The free body in SMPL-X's layout: file, posing, driving signal, anchors."""

from lca_core.body.anchors import Anchors, sample_anchors
from lca_core.body.build import body_file
from lca_core.body.driving import THETA_JOINTS, Driving, full_pose, theta_of, theta_slice
from lca_core.body.head import Head, head_of
from lca_core.body.layout import ACTIONS, JOINT_NAMES
from lca_core.body.model import BodyModel, Posed, joint_transforms

__all__ = [
    "ACTIONS", "JOINT_NAMES", "THETA_JOINTS", "Anchors", "BodyModel", "Driving", "Head", "Posed", "body_file",
    "full_pose", "head_of", "joint_transforms", "sample_anchors", "theta_of", "theta_slice",
]  # fmt: skip
