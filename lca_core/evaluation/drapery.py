"""How loose cloth of the garment domain moves: how far from skinning, and whether the body shows through."""

from dataclasses import dataclass

import numpy as np
import torch

from lca_core.body import full_pose
from lca_core.people import Actor, cast
from lca_core.people.basemesh import load
from lca_core.people.cloth_measures import covered_at_rest, deviation_mm, poke_through
from lca_core.people.domains import stream
from lca_core.people.human import full_body
from lca_core.people.loose import perform


@dataclass(frozen=True)
class Drape:
    """One garment over a clip: part ("bottom", "top" or "coat"); deviation_mm: mean distance of the free cloth from
    skinning; poke_through, skinned_poke_through: share of its visible area where covered skin shows, simulated and
    skinned."""

    part: str
    motion: str
    deviation_mm: float
    poke_through: float
    skinned_poke_through: float


def drapery(seed: int, moments: int = 8) -> list[Drape]:
    """The loose garments of the person of this seed in the clip that the garment domain records."""
    actor = Actor(cast(seed, "garment"))
    name, clip, roots, hanging, chosen = perform(actor, stream(seed, "garment"), moments)
    poses = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (clip.theta, roots, clip.gaze)))
    body, betas = full_body(), torch.from_numpy(actor.human.spec.betas.astype(np.float32))[None]
    skin_rest = body.rest(betas)[0].numpy()
    shifts = torch.from_numpy(roots[:, 3:])
    skins = [body(betas, None, poses[i : i + 1], shifts[i : i + 1]).vertices[0].numpy() for i in chosen]
    mesh = load()
    skin_faces = mesh.triangles(mesh.select("body"))[0]
    drapes = []
    for number, (rest, free) in actor.human.loose.items():
        skinned = np.stack([actor.human.pose(poses[i].numpy(), roots[i, 3:])[number].vertices for i in chosen])
        simulated = np.stack([hanging[i][number] for i in chosen])
        covered = covered_at_rest(skin_rest, rest.vertices, rest.faces)
        shares = [
            np.mean([poke_through(c, rest.faces, s, skin_faces, covered) for c, s in zip(cloth, skins)])
            for cloth in (simulated, skinned)
        ]
        drapes.append(Drape(rest.part, name, deviation_mm(simulated, skinned, free), *map(float, shares)))
    return drapes
