"""One training loop for both stages, to be read from top to bottom.

Pretraining starts from random weights (after a short fit of the person-independent template) on wild people;
post-training starts from pretrained weights on studio people with layer-wise learning-rate decay.
"""

import csv
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from lca_core.body import ACTIONS, BodyModel, Driving, Head
from lca_core.body.driving import EPSILON
from lca_core.model import LCA, Inputs
from lca_core.model.lca import Canonical
from lca_core.model.posing import Driver, Posed, drive
from lca_core.model.raw import SCALE, offsets
from lca_core.splats import Gaussians, draw
from lca_core.training.batches import KINDS, Batch, Views, draw_batch
from lca_core.training.checkpoints import load_state, save_model, save_state, save_template
from lca_core.training.examples import Example
from lca_core.training.identity import face_chip, identity_distance
from lca_core.training.losses import as_close_as_possible, as_spherical_as_possible, l1_loss, too_large
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.perceptual import lpips
from lca_core.training.schedules import cosine, parameter_groups
from lca_core.training.team import Team, whole


@dataclass(frozen=True)
class Settings:
    """What defines a run besides the profile and the data."""

    stage: str
    steps: int
    lr: float
    gamma: float = 1.0  # layer-wise decay
    seed: int = 0
    warmup: int = 50
    template_steps: int = 0  # first fit the template alone (pretraining)
    regularizer: float = 1.0  # lambda of L_reg
    face_weight: float = 0.5
    hand_weight: float = 0.25
    lpips_weight: float = 0.1
    placed: float = 0.8  # share of people whose photographs' poses the model is told
    lpips_views: int = 1  # pictures of a kind that LPIPS (and the identity loss) looks at in a step
    identity_weight: float = 0.0  # of the distance to a face recogniser; what it then says of the avatars proves little
    autocast: bool = True
    muon: bool = True  # for the hidden matrices (`MuonAndAdamW`); never where processes share the parameters
    accumulate: int = 1  # batches a step
    ema: float = 0.0  # of the weights, per step; what is written are the averages. 0: none


class Paused(Exception):
    """The time given to `train` is over; everything needed to go on is saved."""


def render(gaussians: Gaussians, views: Views) -> tuple[Tensor, Tensor]:
    """(colours [P, H, W, 3], alphas [P, H, W, 1]) of one Gaussian set a picture, over the views' backgrounds.

    Where something hides the person, the background shows: nothing is to be learnt there.
    """
    height, width = views.pixels.shape[1:3]
    behind = views.background[:, None]
    colors, alphas = draw(gaussians, views.viewmats[:, None], views.Ks[:, None], width, height, behind)
    shown, behind = 1 - views.pixels[..., 4:], views.background[:, None, None]
    return behind + shown * (colors[:, 0] - behind), shown * alphas[:, 0]


def select(values: Tensor, which: tuple[Tensor, Tensor]) -> Tensor:
    """The entries (person, view) of a tensor [B, V, ...], one a picture."""
    return values[which]


def forward(model: LCA, batch: Batch, autocast: bool) -> Posed:
    """The whole model on a batch, differentiably."""
    device = batch.theta.device.type
    with torch.autocast(device, torch.bfloat16) if autocast else nullcontext():
        tokens, raw = model(batch.inputs)
        codes = model.expression(batch.chips.flatten(0, 1)).to(batch.theta).unflatten(0, batch.has_face.shape)
        driving = Driving(batch.theta, codes * batch.has_face[..., None], batch.gaze, batch.root)
        rig = model.rig(batch.inputs.betas).for_views()
        driven, weights = drive(model.drivers, raw[:, None], rig.skinning, tokens[:, None], driving)
    transforms = rig.transforms(driving)
    canonical, moved = rig.pose(raw[:, None], transforms), rig.pose(driven, transforms, weights)
    return Posed(raw, driven, canonical, moved, weights, tokens, rig.heads(transforms))


def loss_of(model: LCA, batch: Batch, settings: Settings) -> tuple[Tensor, dict[str, float]]:
    """The paper's loss on a batch, and its terms as numbers. All randomness is in the batch."""
    posed = forward(model, batch, settings.autocast)
    terms: dict[str, Tensor] = {}
    weights = dict(zip(KINDS, (1.0, settings.face_weight, settings.hand_weight)))
    for name, weight in weights.items():
        views: Views = getattr(batch, name)
        if not len(views.pixels) or not weight:
            continue
        alpha = views.pixels[..., 3:4]
        truth = views.pixels[..., :3] * alpha + views.background[:, None, None] * (1 - alpha)
        branches = {"cano": posed.canonical, "driven": posed.driven}
        if not model.profile.dual_branch:
            del branches["cano"]
        for branch, gaussians in branches.items():
            colors, alphas = render(gaussians.map(partial(select, which=views.which)), views)
            terms[f"l1_{name}_{branch}"] = weight * views.share * l1_loss(colors, truth, alphas, alpha)
            if branch == "driven" and name != "hand" and settings.lpips_weight and views.judged.any():
                distance = lpips(colors[views.judged], truth[views.judged]).mean()
                terms[f"lpips_{name}_{branch}"] = settings.lpips_weight * weight * views.judged_share * distance
            if branch == "driven" and name == "face" and settings.identity_weight and views.judged.any():
                distance = identity_loss(colors, truth, views, posed.heads)
                terms["identity"] = settings.identity_weight * views.judged_share * distance
    moved = torch.cat([offsets(numbers).reshape(-1, 3) for numbers in (posed.raw, posed.driven_raw)])
    scales = posed.raw[..., SCALE]
    terms["acap"] = settings.regularizer * as_close_as_possible(moved)
    terms["asap"] = settings.regularizer * 0.02 * as_spherical_as_possible(scales)
    terms["size"] = settings.regularizer * 0.1 * too_large(scales)
    for name, part in model.parts.items():
        terms |= {f"{name}_{term}": value for term, value in part.losses(posed, batch).items()}
    terms["loss"] = sum(terms.values())
    numbers = torch.stack([value.detach() for value in terms.values()]).tolist()  # together: one wait for a device
    return terms["loss"], dict(zip(terms, numbers))


class Objective(nn.Module):
    """The loss as a module, so that several processes can share its gradients."""

    def __init__(self, model: LCA, settings: Settings):
        super().__init__()
        self.model, self.settings = model, settings

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return loss_of(self.model, batch, self.settings)


def identity_loss(colors: Tensor, truth: Tensor, views: Views, heads: Head) -> Tensor:
    """Mean distance of dlib's 128 numbers of the judged faces from those of the truth, aligned by the eyes."""
    judged = views.judged.nonzero()[:, 0]
    where = tuple(index[judged] for index in views.which[:2])
    cameras = zip(views.viewmats[judged], views.Ks[judged], heads.eyes[where], heads.up[where])
    chips = [
        torch.stack([face_chip(images[i], *camera) for images in (colors, truth)]) for i, camera in zip(judged, cameras)
    ]
    made, true = torch.stack(chips, 1)
    return identity_distance(made, true.detach()).mean()


def sample(people: Sequence[Example], model: LCA, settings: Settings, rng: np.random.Generator, team: Team) -> Batch:
    """A training batch of the profile's size, this process's part of it, on its device."""
    sizes, judges = model.profile, settings.lpips_weight or settings.identity_weight
    judged = settings.lpips_views if judges else 0
    batch = draw_batch(
        people, rng, sizes.batch_people, sizes.inputs, sizes.views, settings.placed, judged, team.part
    )  # fmt: skip
    return batch.to(team.device)


def fit_template(
    model: LCA, people: Sequence[Example], settings: Settings, rng: np.random.Generator, team: Team | None = None
) -> None:
    """Train the person-independent template alone, the network's residuals left out."""
    team = team or Team.join()
    optimizer = torch.optim.Adam([model.template.raw], lr=0.02)
    objective = team.wrap(_TemplateObjective(model, settings))
    bar = tqdm(range(settings.template_steps), desc="template", unit="step", disable=not team.leads)
    for step in bar:
        loss, terms = objective(sample(people, model, settings, rng, team))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = 0.02 * cosine(step + 1, settings.template_steps, 0)
        bar.set_postfix(loss=f"{terms['loss']:.3f}")


class _TemplateObjective(nn.Module):
    """The loss of the template alone: its numbers are the one parameter here."""

    def __init__(self, model: LCA, settings: Settings):
        super().__init__()
        self.template = model.template
        self._model, self._settings = _NoResiduals(model), settings

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return loss_of(self._model, batch, self._settings)


class _NoResiduals:
    """The model with everything silent but the template: everybody is that, in their own shape and pose."""

    drivers: tuple[Driver, ...] = ()

    def __init__(self, model: LCA):
        self.model = model

    def __getattr__(self, name: str):
        return getattr(self.model, name)

    def __call__(self, inputs: Inputs) -> Canonical:
        template = self.model.template.raw
        people = len(inputs.betas)
        return Canonical(template.new_zeros(people, len(template), 0), template.expand(people, -1, -1, -1))

    def expression(self, chips: Tensor) -> Tensor:
        return chips.new_zeros(len(chips), EPSILON)


def train(
    model: LCA,
    people: Sequence[Example],
    settings: Settings,
    out: Path | str,
    *,
    resume: bool = False,
    checkpoint_minutes: float = 4.0,
    meta: dict | None = None,
    watch: Callable[[int, LCA], None] | None = None,
    minutes: float = 0.0,
    shard: bool = False,
) -> LCA:
    """Train `model` in place on examples; writes into `out` log.csv, state.safetensors and weights.safetensors.

    Under torchrun all processes call this alike: they share each batch, and the first one writes. resume: go on from
    state.safetensors if it is there (bitwise as if never stopped, on a CPU). watch is called with (step, model) after
    0, 1, 2, 4, 8, ... steps and at the end, for pictures. minutes: save and raise `Paused` after so many (0: never).
    shard: processes share the parameters too (FSDP2); then the model returned is a copy, there are no averages, and
    watch is not called. ValueError when the processes cannot share the profile's batch evenly, or for averages of
    shared parameters.
    """
    if shard and settings.ema:
        raise ValueError("averages of the weights (ema) are not kept where processes share them (shard)")
    team, out = Team.join(), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    model.to(team.device)
    rng = np.random.default_rng(settings.seed)
    run = asdict(settings) | {"profile": model.profile.name, "people": len(people)}
    start, log = 0, out / "log.csv"
    resume = team.any(team.leads and resume and (out / "state.safetensors").exists())  # the leader may still write it
    if not resume:
        if team.leads:
            log.unlink(missing_ok=True)
        if settings.template_steps:
            fit_template(model, people, settings, rng, team)
            if team.leads:
                save_template(out / "template.safetensors", model)
    copy = deepcopy(model) if shard else model
    model.train()
    watch = watch if team.leads and not shard else None
    if watch and not resume:
        watch(0, model)
    objective = team.wrap(Objective(model, settings), shard)
    groups = parameter_groups(model, model.profile.depth, settings.lr, settings.gamma)
    optimizer = MuonAndAdamW(groups, settings.muon and not shard)
    average = None
    if settings.ema:
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))
    if resume:
        start = load_state(out, model, optimizer, rng, run, average)
        if team.leads:
            _cut_log(log, start)
    saved = begun = time.monotonic()
    bar = tqdm(
        range(start, settings.steps), desc=settings.stage, unit="step", initial=start, total=settings.steps,
        disable=not team.leads,
    )  # fmt: skip
    smooth = None
    for step in bar:
        factor = cosine(step, settings.steps, settings.warmup)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        model.zero_grad(set_to_none=True)  # all: at gamma = 0 the optimizer does not hold every parameter
        summed: dict[str, float] = {}
        for _ in range(settings.accumulate):
            loss, terms = objective(sample(people, model, settings, rng, team))
            (loss / settings.accumulate).backward()
            summed = {k: summed.get(k, 0.0) + v / settings.accumulate for k, v in terms.items()}
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
        terms = team.mean(summed)
        smooth = terms["loss"] if smooth is None else 0.98 * smooth + 0.02 * terms["loss"]
        bar.set_postfix(loss=f"{smooth:.3f}")
        now, done = time.monotonic(), step + 1
        pausing = team.any(bool(minutes) and now - begun > 60 * minutes) and done < settings.steps
        saving = pausing or team.any(now - saved > 60 * checkpoint_minutes)
        if team.leads:
            _append_log(log, {"step": step, **terms, "lr": settings.lr * factor})
        if saving and (team.leads or shard):
            save_state(out, model, optimizer, rng, done, run, average, write=team.leads)
        if watch and done & (done - 1) == 0:
            watch(done, model)
        saved = time.monotonic() if saving else saved
        if pausing:
            bar.close()
            raise Paused(f"{settings.stage} paused after {done:,} of {settings.steps:,} steps")
    if average is not None:
        model.load_state_dict(average.module.state_dict())
    if shard:
        save_state(out, model, optimizer, rng, settings.steps, run, write=team.leads)
        copy.load_state_dict({name: whole(value) for name, value in model.state_dict().items()})
    model = copy.eval()
    if team.leads:
        fit_action_map(model, people)
        if not shard:
            save_state(out, model, optimizer, rng, settings.steps, run, average)
        save_model(out / "weights.safetensors", model, (meta or {}) | {"settings": run})
        if watch:
            watch(settings.steps, model)
    team.wait()
    return model


@torch.no_grad()
def fit_action_map(model: LCA, people: Sequence[Example], most: int = 4000) -> None:
    """Fit facial actions -> epsilon on the training people's own faces, where actions are known."""
    actions, codes = [], []
    for person in people:
        usable = person.has_face & person.actions.isfinite().all(-1)
        if usable.any():
            codes.append(model.expression(person.chips[usable].to(model.template.raw) / 255).cpu())
            actions.append(person.actions[usable])
        if sum(map(len, codes)) > most:
            break
    if codes:
        model.action_map.fit(torch.cat(actions), torch.cat(codes), exact=model.face_dirs.shape[-1] == len(ACTIONS))


def build_model(profile, features: int, seed: int = 0, body: BodyModel | None = None) -> LCA:
    """A model with reproducible random weights."""
    torch.manual_seed(seed)
    return LCA(profile, features, body or BodyModel.load())


def _append_log(path: Path, row: dict[str, float]) -> None:
    columns = [
        "step", "loss", "l1_body_cano", "l1_body_driven", "l1_face_cano", "l1_face_driven", "l1_hand_cano",
        "l1_hand_driven", "lpips_body_driven", "lpips_face_driven", "identity", "acap", "asap", "size", "lr",
    ]  # fmt: skip
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="")
        if new:
            writer.writeheader()
        writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


def _cut_log(path: Path, steps: int) -> None:
    """Drop rows past the checkpoint, which the resumed run writes again."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(lines[: steps + 1]))
