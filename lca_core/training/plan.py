"""What a training run would take, counted without running it: parameters, memory, arithmetic, GPU-hours."""

from dataclasses import dataclass, replace

import torch
from torch.utils.flop_counter import FlopCounterMode

from lca_core.body import Anchors, BodyModel
from lca_core.body.driving import EPSILON, GAZE, THETA
from lca_core.model import LCA
from lca_core.profiles import Profile

H100_TFLOPS = 989.0  # dense bf16, NVIDIA's data sheet
_PATCH = 14
_STATE_BYTES = 16  # float32 weight and gradient, two moments of AdamW


@dataclass(frozen=True)
class Plan:
    """parameters: numbers that are trained; state_gb: they, their gradients and the optimizer's moments in float32;
    step_tflop: forward and backward of one step, without drawing and without the frozen image encoder; gpu_hours: of
    all steps, on GPUs of `tflops` of which a step uses the share `used`."""

    profile: str
    parameters: int
    state_gb: float
    step_tflop: float
    steps: int
    gpu_hours: float
    tflops: float
    used: float

    def text(self) -> str:
        """A few lines for a terminal."""
        return "\n".join([
            f"{self.profile}: {self.parameters:,} parameters, {self.state_gb:.1f} GB with gradients and moments",
            f"one step: {self.step_tflop:,.2f} TFLOP (forward and backward; without drawing and the frozen encoder)",
            f"{self.steps:,} steps: {self.gpu_hours:,.1f} GPU-hours at {self.used:.0%} of {self.tflops:,.0f} TFLOP/s",
        ])  # fmt: skip


def plan(profile: Profile, features: int, body: BodyModel, tflops: float = H100_TFLOPS, used: float = 0.35) -> Plan:
    """Count both stages of a profile. The model is made on the meta device: none of its numbers is allocated.

    features: length of a row of patch numbers (`rows_length`).
    """
    with torch.device("meta"):
        counted = replace(profile, face_shapes=False)  # anchors without numbers have no face
        model = LCA(counted, features, body, Anchors.nowhere(body, profile.anchors, profile.gaussians_per_anchor))
    model.to("meta")
    patches = sum((px // _PATCH) ** 2 for px in (profile.body_px, profile.face_px))
    with torch.device("meta"):
        rows = torch.zeros(1, profile.inputs * patches, features)
        positions = torch.zeros(1, profile.anchors, model.geometry_tokens[0].in_features)
        condition = torch.zeros(1, profile.views, THETA + EPSILON + GAZE)
    with FlopCounterMode(display=False) as counter:
        tokens = model.encoder(model.image_tokens(rows), model.geometry_tokens(positions))
        width = model.driven.token.in_features - tokens.shape[-1]
        tokens = torch.nn.functional.pad(tokens, (0, width))  # colours read, whose arithmetic is small
        total = model.canonical(tokens).sum() + model.driven(tokens[:, None], condition).sum()
        total.backward()
    parameters = sum(p.numel() for p in model.parameters())
    step = counter.get_total_flops() * profile.batch_people / 1e12
    steps = profile.pretrain_steps + profile.posttrain_steps
    hours = step * steps / (tflops * used) / 3600
    return Plan(profile.name, parameters, _STATE_BYTES * parameters / 1e9, step, steps, hours, tflops, used)
