"""How loose cloth moves in clips: how far from skinning, and whether the body shows through."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from lca_core.body import full_pose
from lca_core.body.basemesh import load
from lca_core.people.clothes.cloth_measures import covered_at_rest, deviation_mm, poke_through
from lca_core.people.domains import loose, performing
from lca_core.people.domains.domains import cast, stream
from lca_core.people.domains.performing import perform
from lca_core.people.domains.recording import Actor
from lca_core.people.stage.human import full_body

ACTED = {"garment": loose.acted, "wild": performing.acted}  # domain -> what people do in its clips


@dataclass(frozen=True)
class Drape:
    """One garment over a clip: part ("skirt" or "coat"); deviation_mm: mean distance of the free cloth from
    skinning; poke_through, skinned_poke_through: share of its visible area where covered skin shows, simulated and
    skinned."""

    part: str
    motion: str
    deviation_mm: float
    poke_through: float
    skinned_poke_through: float


def drapery(seed: int, domain: str = "garment", moments: int = 8) -> list[Drape]:
    """The loose garments of the person of this seed in the clip that a domain of `ACTED` records."""
    actor = Actor(cast(seed, domain))
    if not actor.human.loose:
        return []
    name, clip, hanging = perform(actor, partial(ACTED[domain], stream(seed, domain)), moments)
    poses = full_pose(*(torch.from_numpy(np.asarray(x, np.float32)) for x in (clip.theta, clip.root, clip.gaze)))
    body, betas = full_body(), torch.from_numpy(actor.human.spec.betas.astype(np.float32))[None]
    skin_rest = body.rest(betas)[0].numpy()
    shifts = torch.from_numpy(clip.root[:, 3:])
    skins = [body(betas, None, *at).vertices[0].numpy() for at in zip(poses[:, None], shifts[:, None])]
    mesh = load()
    skin_faces = mesh.triangles(mesh.select("body"))[0]
    drapes = []
    for number, (rest, free) in actor.human.loose.items():
        skinned = np.stack([actor.human.pose(*at)[number].vertices for at in zip(poses.numpy(), shifts.numpy())])
        simulated = np.stack([cloth[number] for cloth in hanging])
        covered = covered_at_rest(skin_rest, rest.vertices, rest.faces)
        shares = [
            np.mean([poke_through(c, rest.faces, s, skin_faces, covered) for c, s in zip(cloth, skins)])
            for cloth in (simulated, skinned)
        ]
        drapes.append(Drape(rest.part, name, deviation_mm(simulated, skinned, free), *map(float, shares)))
    return drapes
