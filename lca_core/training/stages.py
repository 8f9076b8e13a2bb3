"""The two stages as one call each: data, model, settings, loop."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lca_core.data import read_people
from lca_core.errors import InputError
from lca_core.model import LCA, ImageEncoder, encoder_named, encoder_of, rows_length
from lca_core.paths import CHECKPOINTS
from lca_core.profiles import profile as profile_of
from lca_core.training.checkpoints import load_weights, read_header
from lca_core.training.examples import Example, examples
from lca_core.training.loop import Settings, build_model, train
from lca_core.training.progress import Pictures

LEARNING_RATE = {"pretrain": 9e-4, "posttrain": 4e-4}
ENCODER = "pixels"
TEMPLATE_STEPS = {"smoke": 40}  # other profiles: 150
_DOMAIN = {"pretrain": "wild", "posttrain": "studio"}


def stage_settings(
    stage: str, profile: str, steps: int = 0, lr: float = 0.0, gamma: float = 0.65, seed: int = 0
) -> Settings:
    """The settings of a stage at a profile; zeros mean the default."""
    sizes = profile_of(profile)
    steps = steps or (sizes.pretrain_steps if stage == "pretrain" else sizes.posttrain_steps)
    return Settings(
        stage=stage,
        steps=steps,
        lr=lr or LEARNING_RATE[stage],
        gamma=1.0 if stage == "pretrain" else gamma,
        seed=seed,
        warmup=max(2, steps // 40),
        template_steps=TEMPLATE_STEPS.get(profile, 150) if stage == "pretrain" else 0,
    )


def load_examples(
    data: Path | str | Sequence[Path], profile: str, encoder: ImageEncoder, domain: str | None = None
) -> list[Example]:
    """People of a folder of shards as tensors; InputError when their pictures are of another size."""
    sizes = profile_of(profile)
    people = list(read_people(data))
    for person in people:
        size = person.frames[0].body.image.shape[0]
        if size != sizes.body_px:
            raise InputError(
                f"{_folder(data)}: pictures of {person.id} are {size} px, profile {profile!r} wants {sizes.body_px}; "
                "give the profile the people were made with"
            )
        if domain and person.domain != domain:
            raise InputError(
                f"{_folder(data)}: {person.id} is of domain {person.domain!r}; this stage trains on {domain!r} people"
            )
    return examples(people, encoder, sizes, total=len(people))


def _folder(data: Path | str | Sequence[Path]) -> Path:
    return Path(data) if isinstance(data, str | Path) else data[0].parent


def train_stage(
    stage: str,
    data: Path | str | Sequence[Path],
    out: Path | str,
    profile: str = "smoke",
    *,
    init: Path | str | None = None,
    steps: int = 0,
    lr: float = 0.0,
    gamma: float = 0.65,
    seed: int = 0,
    resume: bool = False,
    minutes: float = 0.0,
    encoder: str | None = None,
    shard: bool = False,
) -> LCA:
    """Run "pretrain" on wild people or "posttrain" on studio people; see `loop.train` for what is written.

    Beside it `out`/pictures shows four of the people as training goes on (`Pictures`).

    encoder: "pixels" (none), or the folder of a pretrained ViT, see `lca_core.model.encoders` (default: what init was
    trained with, or else `ENCODER`).
    init: weights to start from, template and all (default: post-training starts from the shipped release's, where its
    profile is this one).
    InputError for a stage there is not, missing data, or weights of another size.
    """
    if stage not in _DOMAIN:
        raise InputError(f"no stage is called {stage!r}; choose pretrain or posttrain")
    if stage == "posttrain" and init is None:
        init = CHECKPOINTS / "release.safetensors"
    header = None if init is None else read_header(init)
    if header and header["profile"].name != profile:
        raise InputError(f"{init} is of profile {header['profile'].name!r}, not {profile!r}; give --init")
    images = encoder_of(header["meta"], encoder) if header else encoder_named(encoder or ENCODER)
    people = load_examples(data, profile, images, _DOMAIN[stage])
    model = build_model(profile_of(profile), rows_length(images), seed)
    settings = stage_settings(stage, profile, steps, lr, gamma, seed)
    if init is not None:
        load_weights(init, model)
        settings = replace(settings, template_steps=0)  # it brings its template along
    began = Path(init).name if init else None
    meta = {"stage": stage, "encoder": images.name, "people": [p.id for p in people], "init": began}
    watch = Pictures(people, Path(out) / "pictures")
    return train(model, people, settings, out, resume=resume, meta=meta, watch=watch, minutes=minutes, shard=shard)
