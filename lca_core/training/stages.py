"""The stages as one table, and each as one call: data, model, settings, loop."""

import hashlib
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm.auto import tqdm

from lca_core.data import split_of
from lca_core.data.streaming import Data, drawn_by, index
from lca_core.errors import InputError
from lca_core.model import LCA, ImageEncoder, encoder_named, encoder_of, rows_length
from lca_core.model.parts import CLOTH, FACE, HANGING, LIGHT, PARTS
from lca_core.paths import CHECKPOINTS
from lca_core.profiles import Profile
from lca_core.profiles import profile as profile_of
from lca_core.training.batches import KINDS
from lca_core.training.checkpoints import load_weights, read_header, save_addition, save_model
from lca_core.training.datasets import MEMORY, Dataset, Mixed, Streamed
from lca_core.training.inheriting import inherit
from lca_core.training.loop import build_model, train
from lca_core.training.precision import Precision
from lca_core.training.progress import Pictures
from lca_core.training.settings import Settings
from lca_core.training.team import Team
from lca_core.training.validation import Validation


@dataclass(frozen=True)
class Stage:
    """domains: whose people it trains on, as many of each in a batch; lr: its learning rate; anew: from random weights
    unless told otherwise, after a fit of the template (else from the shipped release's); decays: whether the rate
    decays by gamma from layer to layer; steps: fields of the profile, whose sum is its number of steps; part: what
    alone is trained: an optional decoder, which weights to start from need not have, or a module; "": everything;
    kinds: of pictures that are met."""

    domains: tuple[str, ...]
    lr: float
    anew: bool
    decays: bool
    steps: tuple[str, ...]
    part: str = ""
    kinds: tuple[str, ...] = KINDS


DRIVEN = "driven"  # the driven branch, as `LCA` calls it
STAGES = {
    "pretrain": Stage(("wild",), 9e-4, anew=True, decays=False, steps=("pretrain_steps",)),
    "posttrain": Stage(("studio",), 4e-4, anew=False, decays=True, steps=("posttrain_steps",)),
    # The paper's Table 1: both at once, from nothing, for as long as the two together.
    "mixed": Stage(("wild", "studio"), 9e-4, anew=True, decays=False, steps=("pretrain_steps", "posttrain_steps")),
    "relight": Stage(("relit",), 2e-3, anew=False, decays=False, steps=("relight_steps",), part=LIGHT),
    "face": Stage(("studio",), 1e-2, anew=False, decays=False, steps=("face_steps",), part=FACE, kinds=("face",)),
    # Half of a batch is of the studio, mostly in clothes that are not loose: what these show is to stay as it is.
    "loose": Stage(
        ("garment", "studio"), 1e-2, anew=False, decays=False, steps=("loose_steps",), part=CLOTH, kinds=("body",)
    ),
    # From cloth that is simulated, without a picture.
    "hanging": Stage(
        ("garment", "studio"), 3e-3, anew=False, decays=False, steps=("hanging_steps",), part=HANGING, kinds=()
    ),
    # What loose is measured against: as long on the same people, every skinning weight staying as it is.
    "loose_without": Stage(
        ("garment", "studio"), 4e-4, anew=False, decays=False, steps=("loose_steps",), part=DRIVEN, kinds=("body",)
    ),
}
LEARNING_RATE = {name: stage.lr for name, stage in STAGES.items()}
ENCODER = "pixels"
TEMPLATE_STEPS = {"smoke": 40}  # other profiles: 150
VALIDATIONS = 20  # in a run
OF_A_STEP = ("inputs", "batch_people", "views")  # fields of a profile that say what a step looks at


def stage_named(name: str) -> Stage:
    """The stage called `name`; InputError when there is none."""
    if name not in STAGES:
        raise InputError(f"no stage is called {name!r}; choose one of {', '.join(STAGES)}")
    return STAGES[name]


def stage_settings(
    stage: str,
    profile: str,
    steps: int = 0,
    lr: float = 0.0,
    gamma: float = 0.65,
    seed: int = 0,
    precision: Precision = "auto",
) -> Settings:
    """The settings of a stage at a profile; zeros mean the default."""
    sizes, row = profile_of(profile), stage_named(stage)
    steps = steps or sum(getattr(sizes, name) for name in row.steps)
    return Settings(
        stage=stage,
        steps=steps,
        lr=lr or row.lr,
        gamma=gamma if row.decays else 1.0,
        seed=seed,
        warmup=max(2, steps // 40),
        template_steps=TEMPLATE_STEPS.get(profile, 150) if row.anew else 0,
        precision=precision,
        part=row.part,
        single=1.0 if row.part == LIGHT else Settings.single,  # a person's photographs are in one light
        # Weights change what is looked at again: gradients through it take five times as long as all the rest.
        looked=0.0 if row.kinds == ("body",) else Settings.looked,
        **{f"{kind}_weight": 0.0 for kind in KINDS if kind not in row.kinds},
    )


def load_examples(
    data: Data, profile: str | Profile, encoder: ImageEncoder, domains: Sequence[str] = (), memory: int = MEMORY
) -> Dataset:
    """People of shards as examples that are loaded when they are drawn (`Streamed`).

    Of several domains, a batch takes as many of each.

    data: a folder of shards, a shard, several of these, or a mapping of them by domain; domains: of whom all must be
    (none: of any); memory: bytes of examples kept. Larger pictures than the profile's are scaled down. InputError when
    pictures are smaller or people of another domain, or a domain has nobody.
    """
    sizes = profile_of(profile) if isinstance(profile, str) else profile
    entries = index(data)
    for entry in entries:
        if entry.px < sizes.body_px:
            raise InputError(
                f"{entry.shard}: pictures of {entry.id} are {entry.px} px, profile {sizes.name!r} wants "
                f"{sizes.body_px} or more; give the profile the people were made with"
            )
        if domains and entry.domain not in domains:
            raise InputError(
                f"{entry.shard}: {entry.id} is of domain {entry.domain!r}; this stage trains on "
                f"{' and '.join(domains)} people"
            )
    groups = [[e for e in entries if e.domain == domain] for domain in domains] if domains else [entries]
    for domain, group in zip(domains or ("",), groups, strict=True):
        if not group:
            whom = f"of domain {domain!r}" if domain else "there"
            places = " and ".join(sorted({str(entry.shard.parent) for entry in entries}))
            raise InputError(f"nobody in {places} is {whom}; give a folder of such people, too")
    parts = [Streamed(group, encoder, sizes, memory=memory // len(groups)) for group in groups]
    return parts[0] if len(parts) == 1 else Mixed(parts)


def train_stage(
    stage: str,
    data: Data,
    out: Path | str,
    profile: str = "smoke",
    *,
    init: Path | str | None = None,
    inherit_from: Path | str | None = None,
    steps: int = 0,
    lr: float = 0.0,
    gamma: float = 0.65,
    seed: int = 0,
    resume: bool = False,
    minutes: float = 0.0,
    encoder: str | None = None,
    shard: bool = False,
    precision: Precision = "auto",
    validate: Data | None = None,
    keep_steps: Collection[int] = (),
) -> LCA:
    """Run a stage of `STAGES`; see `loop.train` for what is written.

    Beside it `out`/pictures shows four of the people as training goes on (`Pictures`). A stage that trains one part
    alone also writes that part alone (`save_addition`): light.safetensors, cloth.safetensors or, of the part without a
    name of its own, that of the stage.

    data: a folder of shards, a shard, several of these, or a mapping of them by domain, as `mixed` needs them.
    encoder: "pixels" (none), or the folder of a pretrained ViT, see `lca_core.model.encoders` (default: what init was
    trained with, or else `ENCODER`).
    init: weights to start from, template and all (default: post-training starts from the shipped release's, where its
    profile is this one); the model's sizes are then those that the weights were trained with.
    inherit_from: weights of other sizes to start from as far as they fit, the sizes being the profile's (`inherit`).
    precision: of the network; validate: shards of validation people, whose psnr is logged now and then; keep_steps: the
    steps after which weights are kept in half precision.
    InputError for a stage there is not, missing data, people to validate on who are for training or for tests, or
    weights of another size.
    """
    row = stage_named(stage)
    most = stage_settings(stage, profile, steps).steps
    if beyond := sorted(step for step in keep_steps if not 0 <= step <= most):
        raise InputError(f"weights are kept after steps 0 to {most:,}, not {beyond[0]:,}; give other --keep-steps")
    if init is not None and inherit_from is not None:
        raise InputError("weights are either gone on from (--init) or inherited (--inherit-from): give one of them")
    shipped = not row.anew and init is None and inherit_from is None
    if shipped:
        init = CHECKPOINTS / "release.safetensors"
    header = None if init is None else read_header(init)
    if header and header["profile"].name != profile:
        where = f"give --profile {header['profile'].name}, or --init" if shipped else "give --init"
        raise InputError(f"{init} is of profile {header['profile'].name!r}, not {profile!r}; {where}")
    brought = header or (read_header(inherit_from) if inherit_from is not None else None)
    images = encoder_of(brought["meta"], encoder) if brought else encoder_named(encoder or ENCODER)
    sizes = profile_of(profile)
    if header:  # weights bring their own; how many people, photographs and views a step takes is no matter of theirs
        sizes = replace(header["profile"], **{name: getattr(sizes, name) for name in OF_A_STEP})
    if row.part in PARTS:
        sizes = replace(sizes, parts=tuple(dict.fromkeys((*sizes.parts, row.part))))
    people = load_examples(data, sizes, images, row.domains)
    if row.part == LIGHT and not people[0].lamps.any():
        raise InputError(f"the lights of {people[0].id} are not told; draw the people with their truth (--truth)")
    if row.part == FACE and not people[0].actions.isfinite().any():
        raise InputError(
            f"the facial actions of {people[0].id} are not told; give people whose faces' actions are known"
        )
    unseen = None if validate is None else _unseen(validate, sizes, images)
    model = build_model(sizes, rows_length(images), seed, image_encoder=images.name)
    settings = stage_settings(stage, profile, steps, lr, gamma, seed, precision)
    origins = {f"drawing of {domain} people": str(number) for domain, number in drawn_by(index(data)).items()}
    if init is not None:
        load_weights(init, model, anew=row.part)
        settings = replace(settings, template_steps=0)  # it brings its template along
        origins["init"] = hashlib.sha256(Path(init).read_bytes()).hexdigest()
    if inherit_from is not None:
        anew = inherit(inherit_from, model)
        tqdm.write(f"{len(anew)} parameters begin anew, the others from {inherit_from}", file=sys.stderr)
        settings = replace(settings, template_steps=0)
        origins["inherited"] = hashlib.sha256(Path(inherit_from).read_bytes()).hexdigest()
    began = Path(init or inherit_from).name if init or inherit_from else None
    if stage == HANGING:
        refused = {"--inherit-from": inherit_from, "--shard": shard, "--validate": validate, "--keep-steps": keep_steps}
        if given := [option for option, value in refused.items() if value]:
            raise InputError(f"stage {HANGING!r} draws no pictures and takes no {' and no '.join(given)}")
        shards = sorted({entry.shard for entry in index(data)})
        meta = learn_hanging(model, shards, images, settings, Path(out), {"stage": stage, "init": began}, resume)
        save_addition(Path(out) / f"{HANGING}.safetensors", model, HANGING, init, meta)
        return model
    meta = {"stage": stage, "people": [person.id for person in people.identities()], "init": began}
    model = train(
        model, people, settings, out, resume=resume, meta=meta,
        watch=Pictures(people, Path(out) / "pictures", lit=row.part == LIGHT),
        validate=None if unseen is None else Validation(
            unseen, max(1, settings.steps // VALIDATIONS), lit=row.part == LIGHT
        ),
        keep_steps=keep_steps, origins=origins, minutes=minutes, shard=shard,
    )  # fmt: skip
    if row.part and init is not None and Team.join().leads:
        name = row.part if row.part in PARTS else stage
        save_addition(Path(out) / f"{name}.safetensors", model, row.part, init, meta | {"stage": stage})
    return model


def learn_hanging(
    model: LCA,
    shards: Sequence[Path],
    encoder: ImageEncoder,
    settings: Settings,
    out: Path,
    meta: dict,
    resume: bool = False,
) -> dict:
    """The stage that draws no pictures (`lca_core.training.hanging`), and so has a loop of its own: writes
    weights.safetensors and gives `meta` with the people it learned from."""
    from lca_core.training.hanging import train_hanging

    out.mkdir(parents=True, exist_ok=True)
    ids = train_hanging(
        shards, out, model, encoder, steps=settings.steps, lr=settings.lr, seed=settings.seed, resume=resume
    )  # fmt: skip
    meta = meta | {"people": ids}
    save_model(out / "weights.safetensors", model, meta)
    return meta


def _unseen(data: Data, profile: Profile, encoder: ImageEncoder) -> Dataset:
    """People to validate on; InputError for digital humans of another split. (Real people are split by folder.)"""
    for entry in index(data):
        if entry.seed is not None and (split := split_of(entry.seed)) != "validation":
            raise InputError(f"{entry.shard}: {entry.id} is a {split} person; validate on seeds 9000 to 9999")
    return load_examples(data, profile, encoder)
