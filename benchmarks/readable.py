"""How many facial actions can be read from the faces that expression codes are read from, by a network told them?

Epsilon is learned without labels, and a linear probe finds few facial actions in it (`control/probe_actions`). This
asks what there is to be found: the release's own expression encoder, begun anew and taught the true actions of
training people by least squares, reads those of test people from the same chips (`control/labelled_actions`). It is
trained on a quarter of the people as well, which shows whether more of them would help. No shipped weight comes from
here, and no avatar.
"""

import json as json_format
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from reporting import begin, columns, end, run, tell
from torch import Tensor
from torch.nn import functional as F
from tqdm.auto import tqdm

from lca_core.body import ACTIONS
from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.evaluation.control import READABLE, explained
from lca_core.evaluation.drawn import drawn
from lca_core.evaluation.expressions import FACES, cached_expressions
from lca_core.evaluation.records import Record, provenance
from lca_core.evaluation.tolerances import Tolerance
from lca_core.model import Pixels
from lca_core.model.expression import ExpressionEncoder
from lca_core.profiles import PROFILES
from lca_core.training import examples
from lca_core.training.schedules import cosine

FIRST_TRAINING, FIRST_VALIDATION, FIRST_TEST = 5_000, 9_000, 10_000
RECORD = "control/labelled_actions"
TOLERANCE = Tolerance(1.0, "an action may lie at the line")
FACES_TOLD = 2 * FACES  # of a training person
BATCH, LEARNING_RATE, WARMUP = 128, 2e-3, 50
TURN, ZOOM, SHIFT, NOISE = 0.05, 0.05, 0.04, 0.02  # how chips vary: radians, share, share of half a side, brightness
Faces = tuple[Float[Tensor, "n 56 56"], Float[Tensor, "n 52"]]


@dataclass(frozen=True)
class Plan:
    """told: training people whose actions are told; read: test people; steps: of training."""

    told: int = 128
    read: int = 64
    first_read: int = FIRST_TEST
    steps: int = 1000
    profile: str = "laptop"
    workers: int = 2


def faces_of(seeds: Sequence[int], plan: Plan, faces: int) -> list[Faces]:
    """(chips, true actions) of each of these people."""
    sizes = PROFILES[plan.profile]
    people = list(read_people(cached_expressions(seeds, sizes.face_px, plan.workers, faces=faces)))
    return [(e.chips.float() / 255, e.actions) for e in examples(people, Pixels(), sizes, total=len(people))]


def taught(people: Sequence[Faces], steps: int) -> ExpressionEncoder:
    """An expression encoder whose first 52 numbers are the actions of these people's faces, as far as it can tell."""
    torch.manual_seed(0)
    chips, actions = (torch.cat(x) for x in zip(*people))
    network = ExpressionEncoder()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    for step in tqdm(range(steps), desc=f"actions of {len(people)} people", unit="step"):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * cosine(step, steps, WARMUP)
        drawn = torch.randint(len(chips), (BATCH,))
        loss = (network(varied(chips[drawn]))[:, : len(ACTIONS)] - actions[drawn]).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return network.eval()


def varied(chips: Float[Tensor, "n 56 56"]) -> Float[Tensor, "n 56 56"]:
    """Chips a little turned, zoomed, shifted and noisy, so that the network learns faces, not pictures."""
    n = len(chips)
    turn, zoom, shift = TURN * torch.randn(n), 1 + ZOOM * torch.randn(n), SHIFT * torch.randn(n, 2, 1)
    cos, sin = zoom * turn.cos(), zoom * turn.sin()
    linear = torch.stack([cos, -sin, sin, cos], -1).view(n, 2, 2)
    grid = F.affine_grid(torch.cat([linear, shift], -1), [n, 1, *chips.shape[1:]], align_corners=False)
    moved = F.grid_sample(chips[:, None], grid, padding_mode="border", align_corners=False)[:, 0]
    return moved + NOISE * torch.randn_like(moved)


@torch.no_grad()
def read_by(network: ExpressionEncoder, people: Sequence[Faces]) -> dict[str, float]:
    """Action -> R2 with which the network's numbers are the true actions of these people."""
    chips, actions = (torch.cat(x) for x in zip(*people))
    return explained(actions.numpy().astype(float), network(chips)[:, : len(ACTIONS)].numpy().astype(float))


def measured(plan: Plan) -> dict[int, dict[str, float]]:
    """People told -> action -> R2 on the people read."""
    tell("faces are drawn where the cache has none")
    told = faces_of(range(FIRST_TRAINING, FIRST_TRAINING + plan.told), plan, FACES_TOLD)
    read = faces_of(range(plan.first_read, plan.first_read + plan.read), plan, FACES)
    return {n: read_by(taught(told[:n], plan.steps), read) for n in (plan.told // 4, plan.told)}


def counted(r2: dict[str, float]) -> int:
    """Actions that count as read."""
    return sum(value >= READABLE for value in r2.values())


def report(found: dict[int, dict[str, float]]) -> str:
    """Two tables: people told beside what they are good for, and the best of the actions."""
    rows = [
        (str(n), str(counted(r2)), str(sum(v >= 0.5 for v in r2.values())), f"{np.mean(list(r2.values())):.3f}")
        for n, r2 in found.items()
    ]
    best = sorted(found[max(found)].items(), key=lambda item: -item[1])
    return "\n".join([
        *columns(("people told", f"R2 >= {READABLE}", "R2 >= 0.5", "mean R2"), rows), "",
        ", ".join(f"{name} {value:.2f}" for name, value in best),
    ])  # fmt: skip


def record_of(found: dict[int, dict[str, float]], plan: Plan) -> Record:
    """The record."""
    r2 = found[plan.told]
    rounded = {n: {name: round(value, 3) for name, value in values.items()} for n, values in found.items()}
    protocol = {
        "what": f"facial actions of 52 that an expression encoder taught the true ones reads with R2 >= {READABLE}",
        "taught_on": f"{FACES_TOLD} faces of each of the people {FIRST_TRAINING}-{FIRST_TRAINING + plan.told - 1}",
        "r2": rounded[plan.told], "of_a_quarter_of_the_people": rounded[plan.told // 4], "faces_a_person": FACES,
        "pooled": "R2 of each action over all faces of all people",
    }  # fmt: skip
    seeds = [plan.first_read, plan.first_read + plan.read - 1]
    source = provenance("python benchmarks/readable.py --record", {"benchmark": __file__}, seeds,
                        seeds_are="first and last", drawn=drawn(["expressions"], plan.profile))  # fmt: skip
    return Record(RECORD, float(counted(r2)), "", None, plan.read, plan.read * FACES, plan.profile, tolerance=TOLERANCE,
                  protocol=protocol, provenance=source)  # fmt: skip


def main(quick: bool = False, json: bool = False, record: bool = False, measure: Path | None = None,
         workers: int = 2) -> None:  # fmt: skip
    """Teach an expression encoder the facial actions and see which it reads on others (half an hour the first time).

    Args:
        quick: A few people and steps, read on validation people: whether it works.
        json: Print JSON instead of a table.
        record: Write the number to results/records/ and renew results/README.md.
        measure: Write today's record into this file, for `lca_core verify` to compare.
        workers: Processes that draw.
    """
    if workers < 1:
        raise InputError("--workers must be at least 1")
    if quick and (record or measure):
        raise InputError("--record and --measure need all people: leave out --quick")
    begin(record)
    plan = Plan(4, 4, FIRST_VALIDATION, 20, workers=workers) if quick else Plan(workers=workers)
    found = measured(plan)
    print(json_format.dumps(found, indent=1) if json else report(found))
    end([record_of(found, plan)], record, measure)


if __name__ == "__main__":
    run(main)
