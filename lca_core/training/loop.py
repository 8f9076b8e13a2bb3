"""One training loop for all stages, to be read from top to bottom.

Pretraining starts from random weights (after a short fit of the person-independent template) on wild people;
post-training starts from pretrained weights on studio people with layer-wise learning-rate decay.
"""

import math
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm.auto import tqdm

from lca_core.body import ACTIONS, BodyModel
from lca_core.body.coverage import body_for
from lca_core.model import LCA, Pixels
from lca_core.training.batches import Batch, choose_people, draw_batch
from lca_core.training.checkpoints import save_model, save_template
from lca_core.training.datasets import dataset_of
from lca_core.training.examples import Example
from lca_core.training.log import append_row, cut_log
from lca_core.training.objective import Objective, loss_of
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.precision import check_precision, quicker, time_precisions
from lca_core.training.schedules import cosine, parameter_groups
from lca_core.training.settings import Settings
from lca_core.training.states import (
    Run,
    check_same_run,
    drop_damaged,
    forget_states,
    has_state,
    newest_state,
    restore,
    save_state,
)
from lca_core.training.survival import check_finite, finite
from lca_core.training.team import Team, whole
from lca_core.training.template import fit_template


class Paused(Exception):
    """The time given to `train` is over; everything needed to go on is saved."""


def sample(people: Sequence[Example], model: LCA, settings: Settings, rng: np.random.Generator, team: Team) -> Batch:
    """A training batch of the profile's size, this process's part of it, on its device.

    Whom the next call will draw is known already, and begins to be loaded.
    """
    sizes, judges, dataset = model.profile, settings.lpips_weight or settings.identity_weight, dataset_of(people)
    judged = settings.lpips_views if judges else 0
    batch = draw_batch(
        dataset, rng, sizes.batch_people, sizes.inputs, sizes.views, settings.placed, judged, team.part,
        settings.single, sizes.gradient_steps, settings.looked,
    )  # fmt: skip
    following = choose_people(deepcopy(rng), dataset.groups, sizes.batch_people)
    dataset.expect(following[team.part.rank :: team.part.size])
    return batch.to(team.device)


def choose_precision(
    model: LCA, people: Sequence[Example], settings: Settings, rng: np.random.Generator, team: Team
) -> dict:
    """{"chosen": the precision a run computes in, "seconds": of a step by precision, where that was timed}.

    On a GPU it is bfloat16. On a CPU a step of each is timed on the batch that comes first anyway, and the processes of
    a team take the same. Weights, gradients and random states stay as they are.
    """
    if settings.precision != "auto":
        return {"chosen": settings.precision, "seconds": {}}
    if team.device.type != "cpu":
        return {"chosen": "bfloat16", "seconds": {}}
    batch = sample(people, model, settings, deepcopy(rng), team)

    def step(precision: str) -> None:
        loss_of(model, batch, replace(settings, precision=precision))[0].backward()
        model.zero_grad(set_to_none=True)

    with torch.random.fork_rng(devices=[]):
        seconds = team.mean(time_precisions(step))
    return {"chosen": quicker(seconds), "seconds": seconds}


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
    validate: Callable[[int, LCA], dict[str, float]] | None = None,
    keep_steps: Collection[int] = (),
    origins: Mapping[str, str] | None = None,
    minutes: float = 0.0,
    shard: bool = False,
) -> LCA:
    """Train `model` in place on examples, any sequence of them or a `Dataset`.

    Writes into `out` log.csv, state.safetensors (and state_before.safetensors, the one before) and weights.safetensors.
    Under torchrun all processes call this alike: they share each batch, and the first one writes. resume: go on from
    the newest state that is whole, if there is one (bitwise as if never stopped, on a CPU). watch is called with
    (step, model) after 0, 1, 2, 4, 8, ... steps and at the end, for pictures; validate after every step, for numbers to
    log (`Validation`). keep_steps: weights after so many steps are kept in half precision, weights_000100.safetensors
    and so on. origins: what the run depends on beside people and settings; a state of other origins is not gone on
    from. minutes: save and raise `Paused` after so many (0: never). shard: processes share the parameters too (FSDP2);
    then the model returned is a copy, there are no averages, and watch and validate are not called.
    ValueError when the processes cannot share the profile's batch evenly, or for averages of shared parameters;
    InputError for a state of another run; FloatingPointError, before the step is taken, where a loss or a gradient is
    not finite.
    """
    if shard and settings.ema:
        raise ValueError("averages of the weights (ema) are not kept where processes share them (shard)")
    check_precision(settings.precision)
    team, out, people = Team.join(), Path(out), dataset_of(people)
    out.mkdir(parents=True, exist_ok=True)
    model.to(team.device)
    if settings.part:
        model.requires_grad_(False)
        alone = model.parts[settings.part] if settings.part in model.parts else model.get_submodule(settings.part)
        alone.requires_grad_(True)
    rng = np.random.default_rng(settings.seed)
    facts = settings.facts() | {"profile": model.profile.name, "people": len(people)}
    run = Run(facts, people.identities(), {"encoder": model.image_encoder} | dict(origins or {}))
    start, log, state = 0, out / "log.csv", None
    if team.any(team.leads and resume and has_state(out)):  # the leader may still write it
        state = newest_state(out)
        check_same_run(state, run)
        if team.leads:
            drop_damaged(state)
    precision = state.header["precision"] if state else choose_precision(model, people, settings, rng, team)
    settings = replace(settings, precision=precision["chosen"])
    if team.leads and precision["seconds"]:
        timed = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in precision["seconds"].items())
        capability = torch.backends.cpu.get_cpu_capability()
        print(f"precision: {precision['chosen']} (a step here, {capability}: {timed})", file=sys.stderr)
    if state is None:
        if team.leads:
            log.unlink(missing_ok=True)
            forget_states(out)  # of an earlier run into this folder, which nobody may go on from by mistake
        if settings.template_steps:
            fit_template(model, settings, lambda: sample(people, model, settings, rng, team), team)
            if team.leads:
                save_template(out / "template.safetensors", model)
    copy = deepcopy(model) if shard else model
    model.train()
    watch, validate = (call if team.leads and not shard else None for call in (watch, validate))
    if watch and state is None:
        watch(0, model)
    objective = team.wrap(Objective(model, settings), shard)
    groups = parameter_groups(model, model.profile.depth, settings.lr, settings.gamma)
    optimizer = MuonAndAdamW(groups, settings.muon and not shard)
    average = None
    if settings.ema:
        average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(settings.ema))
    meta = (meta or {}) | {"settings": facts | {"precision": settings.precision}}

    def save(done: int) -> None:
        if team.leads or shard:
            save_state(out, model, optimizer, rng, done, run, precision, average, write=team.leads)

    def keep(done: int) -> None:
        kept = average.module if average else copy
        if shard:
            copy.load_state_dict({name: whole(value) for name, value in model.state_dict().items()})
        if team.leads:
            save_model(out / f"weights_{done:06d}.safetensors", kept, meta | {"step": done}, half=True)

    if state:
        start = restore(state, model, optimizer, rng, average)
        if team.leads:
            cut_log(log, start)
        state = None  # its tensors are no longer needed
    elif 0 in keep_steps:
        keep(0)
    saved = begun = time.monotonic()
    bar = tqdm(
        range(start, settings.steps), desc=settings.stage, unit="step", initial=start, total=settings.steps,
        disable=not team.leads,
    )  # fmt: skip
    smooth = None
    for step in bar:
        began = time.monotonic()
        factor = cosine(step, settings.steps, settings.warmup)
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        model.zero_grad(set_to_none=True)  # all: at gamma = 0 the optimizer does not hold every parameter
        summed: dict[str, float] = {}
        remedy = f"the states in {out} are of before; go on from one with a lower learning rate, in another --out"
        for _ in range(settings.accumulate):
            with finite(f"step {step} of {settings.stage}", remedy):
                loss, terms = objective(sample(people, model, settings, rng, team))
            (loss / settings.accumulate).backward()
            summed = {k: summed.get(k, 0.0) + v / settings.accumulate for k, v in terms.items()}
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        norm = nn.utils.get_total_norm(list(gradients.values()))
        length, terms = float(whole(norm)), team.mean(summed)
        if not (math.isfinite(length) and math.isfinite(terms["loss"])):
            check_finite(f"step {step} of {settings.stage}", terms, gradients, remedy)
        nn.utils.clip_grads_with_norm_(model.parameters(), 1.0, norm)
        optimizer.step()
        if average is not None:
            average.update_parameters(model)
        smooth = terms["loss"] if smooth is None else 0.98 * smooth + 0.02 * terms["loss"]
        bar.set_postfix(loss=f"{smooth:.3f}")
        now, done = time.monotonic(), step + 1
        pausing = team.any(bool(minutes) and now - begun > 60 * minutes) and done < settings.steps
        saving = pausing or team.any(now - saved > 60 * checkpoint_minutes)
        if team.leads:
            row = {"step": step, "loss": terms["loss"], **terms, "lr": settings.lr * factor, "grad_norm": length}
            row |= {"seconds": now - began, "seconds_left": (now - begun) / (done - start) * (settings.steps - done)}
            append_row(log, row | (validate(done, average.module if average else model) if validate else {}))
        if done in keep_steps:
            keep(done)
        if saving:
            save(done)
        if watch and done & (done - 1) == 0:
            watch(done, model)
        saved = time.monotonic() if saving else saved
        if pausing:
            bar.close()
            raise Paused(f"{settings.stage} paused after {done:,} of {settings.steps:,} steps")
    if shard:
        save(settings.steps)
        copy.load_state_dict({name: whole(value) for name, value in model.state_dict().items()})
    if average is not None:
        model.load_state_dict(average.module.state_dict())
    model = copy.eval()
    if team.leads:
        if not settings.part:
            fit_action_map(model, people)
        if not shard:
            save(settings.steps)
        save_model(out / "weights.safetensors", model, meta)
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


def build_model(
    profile, features: int, seed: int = 0, body: BodyModel | None = None, image_encoder: str = Pixels.name
) -> LCA:
    """A model with reproducible random weights. image_encoder: name of the one whose rows it reads."""
    torch.manual_seed(seed)
    return LCA(profile, features, body or body_for(profile.coverage), image_encoder=image_encoder)
