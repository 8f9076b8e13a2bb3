"""Training steps for `training_step.py`, in a process of its own and with whatever code of `lca_core` is on the path.

    python benchmarks/stepper.py FILE

FILE, by torch.save: threads, sizes (fields of the profile), weights and batches, of plain tensors. Standard input has a
precision a line; the answer is a line of JSON, [wall seconds, processor seconds, loss] of a step on each batch. What
old code names otherwise is found by trying.
"""

import json
import sys
import time
from dataclasses import fields, replace

import torch

from lca_core.model import Inputs, Pixels, Placement, rows_length
from lca_core.profiles import profile
from lca_core.training.batches import Batch, Views
from lca_core.training.loop import build_model, loss_of
from lca_core.training.optimizers import MuonAndAdamW
from lca_core.training.schedules import parameter_groups

try:
    from lca_core.training.settings import Settings
except ImportError:
    from lca_core.training.loop import Settings

RATE = 1e-6  # so that every step is of the same model, nearly


def batch_of(plain: dict) -> Batch:
    """A batch of its plain tensors."""
    place = Placement(**plain["inputs"]["placement"])
    views = {kind: Views(**plain[kind]) for kind in ("body", "face", "hand")}
    return Batch(**plain | views | {"inputs": Inputs(**plain["inputs"] | {"placement": place})})


def settings_of(precision: str) -> Settings:
    """Settings of post-training in this precision."""
    known = {field.name for field in fields(Settings)}
    told = {"precision": precision} if "precision" in known else {"autocast": precision == "bfloat16"}
    return Settings("posttrain", 100, RATE, **told)


def main(path: str) -> None:
    """Answer until the input ends."""
    given = torch.load(path, weights_only=True)
    torch.set_num_threads(given["threads"])
    sizes = replace(profile("laptop"), **given["sizes"])
    model = build_model(sizes, rows_length(Pixels()))
    model.load_state_dict(given["weights"], strict=False)
    model.train()
    optimizer = MuonAndAdamW(parameter_groups(model, sizes.depth, RATE, 0.65))
    batches = [batch_of(plain) for plain in given["batches"]]
    for line in sys.stdin:
        settings, taken = settings_of(line.strip()), []
        for batch in batches:
            start = time.perf_counter(), time.process_time()
            model.zero_grad(set_to_none=True)
            loss, _ = loss_of(model, batch, settings)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            taken.append((time.perf_counter() - start[0], time.process_time() - start[1], float(loss.detach())))
        print(json.dumps(taken), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
