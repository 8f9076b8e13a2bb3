"""The command line: `python -m lca_core COMMAND --help`. Thin: each command calls the functions notebooks call."""

import errno
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import tyro
from tyro.conf import Positional

from lca_core.errors import InputError
from lca_core.paths import writable, writable_folder
from lca_core.profiles import PROFILES

_WRITING = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR)

ProfileName = Literal["smoke", "study", "laptop", "gpu", "paper"]
FileKind = Literal[
    "ply", "glb", "compressed.ply", "spz", "sog", "rigged.glb", "npz", "mp4", "gif", "turntable.mp4", "html"
]  # fmt: skip


def unless(what: str, metavar: str | None = None):
    """An option that stands for something else where it is left out: what, in place of its default of 0 or nothing."""
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=f"(default: {what})")


def _of_every_profile(*fields: str) -> str:
    """Numbers of all profiles in their order: 30 / 750 / ..."""
    return " / ".join(f"{sum(getattr(sizes, name) for name in fields):,}" for sizes in PROFILES.values())


WEIGHTS = Annotated[Path | None, unless("the shipped release", "PATH")]
ENCODER = Annotated[Path | None, unless("that of the weights", "FOLDER")]
ADDRESS = Annotated[str | None, unless("a cluster is started here", "HOST:PORT")]
STEPS = (
    f"the profile's; at {' / '.join(PROFILES)}: pretrain {_of_every_profile('pretrain_steps')}; posttrain "
    f"{_of_every_profile('posttrain_steps')}; mixed {_of_every_profile('pretrain_steps', 'posttrain_steps')}; relight "
    f"{_of_every_profile('relight_steps')}; face {_of_every_profile('face_steps')}; loose and "
    f"loose_without {_of_every_profile('loose_steps')}; hanging {_of_every_profile('hanging_steps')}"
)


def hold(least: float = 1, most: float = float("inf"), **options: float) -> None:
    """InputError for an option that is under `least`, over `most` or no number; an option `photos_shown` is told of as
    --photos-shown."""
    for name, value in options.items():
        if not least <= value <= most:
            limits = f"at least {least:g}" if most == float("inf") else f"{least:g} to {most:g}"
            raise InputError(f"--{name.replace('_', '-')} must be {limits}, not {value:g}")


def people(
    out: Path,
    domain: Literal[
        "studio", "wild", "garment", "relit", "stylised", "wild2", "phone", "garment_wild", "relit_held_out"
    ] = "studio",
    seeds: Annotated[tuple[int, ...], unless("--count of them from --first on")] = (),
    count: int = 0,
    first: int = 0,
    profile: ProfileName = "smoke",
    workers: int = 2,
    truth: bool = True,
    engine: Literal["local", "ray"] = "local",
    address: ADDRESS = None,
) -> None:
    """Make digital humans: WebDataset shards, a Croissant manifest and a datasheet.

    Args:
        out: Folder for the shards; a second call goes on where the first stopped.
        domain: studio (cameras all round, exact parameters), wild (one camera, a tracker's parameters), garment (loose
            cloth in motion), relit (many lights), stylised (test people as drawings), wild2 (a second clip), phone
            (large photographs, nothing told), garment_wild (loose cloth, filmed as in wild) or relit_held_out (lights
            that nothing is trained under).
        seeds: Which people, one seed each: 0-8999 train, 9000-9999 validation, 10000-10999 test.
        count: Instead of seeds: this many people, from --first on.
        first: First seed when counting.
        profile: How many pictures and of how many pixels: smoke for a first look, laptop to train on two cores.
        workers: Processes that draw, or Ray actors.
        truth: Also depth, normals, parts and lights of every picture.
        engine: local (processes of this machine) or ray (a cluster that sees the same folder); the shards are the same.
        address: Of a running Ray cluster.
    """
    from lca_core.data.manifests import write_manifest
    from lca_core.data.records import split_of
    from lca_core.engines import ENGINES
    from lca_core.people.domains.domains import cast
    from lca_core.people.domains.production import render_people
    from lca_core.people.domains.sets import write_datasheet

    hold(workers=workers)
    hold(0, count=count, first=first)
    _check_engine(engine, workers, address)
    draw = partial(ENGINES[engine], address=address) if engine == "ray" else ENGINES[engine]
    chosen = list(seeds) or list(range(first, first + count))
    if not chosen:
        raise InputError("no people were asked for; give --seeds 10000 10001 or --count 8 --first 0")
    for seed in chosen:
        try:
            split_of(seed)
        except ValueError as error:
            raise InputError(f"{error}; 0-8999 train, 9000-9999 validation, 10000-10999 test") from error
    for seed in chosen:
        cast(seed, domain)  # whom the domain does not admit is refused before anybody is drawn
    render_people(chosen, domain, profile, writable_folder(out), workers, truth=truth, engine=draw)
    written = [write_manifest(out, domain, chosen, profile), write_datasheet(out, domain, chosen)]
    print(f"shards, {' and '.join(path.name for path in written)} are in {out}")


def _check_engine(engine: str, workers: int, address: str | None) -> None:
    if workers < 1:
        raise InputError("--workers must be at least 1")
    if address and engine != "ray":
        raise InputError("--address is of a Ray cluster; give --engine ray with it")


def refit(data: Path, out: Path, profile: ProfileName = "laptop", workers: int = 2) -> None:
    """Send recorded people through the photograph door: cut out and fitted anew from their pictures alone, to train on.

    Args:
        data: Folder of shards, as `people` makes them.
        out: Folder for the shards of those fitted again; a second call goes on where the first stopped.
        profile: Sizes of the pictures.
        workers: Processes that fit.
    """
    from lca_core.curation.refit import refit_shards
    from lca_core.profiles import profile as profile_named

    hold(workers=workers)
    counts = refit_shards(data, out, profile_named(profile), workers)
    kept, there = (sum(numbers) for numbers in zip(*counts.values()))
    print(f"{kept:,} of {there:,} people fitted again; shards are in {out}")


def train(
    stage: Literal["pretrain", "posttrain", "mixed", "relight", "face", "loose", "loose_without", "hanging"],
    data: tuple[Path, ...],
    out: Path,
    profile: ProfileName = "smoke",
    init: Annotated[
        Path | None, unless("random weights for pretrain and mixed, the shipped release for the others", "PATH")
    ] = None,
    inherit_from: Annotated[Path | None, unless("nothing is inherited", "PATH")] = None,
    steps: Annotated[int, unless(STEPS)] = 0,
    lr: Annotated[
        float,
        unless(
            "9e-4 for pretrain and mixed, 4e-4 for posttrain and loose_without, 2e-3 for relight, 3e-3 for hanging, "
            "1e-2 for face and loose"
        ),
    ] = 0.0,
    gamma: float = 0.65,
    seed: int = 0,
    resume: bool = False,
    encoder: Annotated[str | None, unless("that of the weights begun from, or else pixels", "pixels|FOLDER")] = None,
    shard: bool = False,
    precision: Literal["auto", "float32", "bfloat16"] = "auto",
    validate: Annotated[Path | None, unless("nothing is validated", "PATH")] = None,
    keep_steps: Annotated[tuple[int, ...], unless("none but the last")] = (),
) -> None:
    """Train one stage of the model on people made by `people`, and write its weights.

    pretrain: everything, on wild people, from random weights. posttrain: everything, on studio people, from pretrained
    weights, layer by layer at a lower rate. mixed: everything, on both kinds at once, from random weights. relight: the
    decoder of light alone, on relit people. face: that of facial features alone, on studio people. loose: that of loose
    cloth alone, on garment and studio people. loose_without: what loose is measured against, the driven branch alone on
    the same people for as long. hanging: how loose cloth hangs, from cloth simulated on the same people; no picture is
    drawn.

    All but pretrain and mixed begin from weights of the same --profile: of the shipped release, which is of laptop, or
    of your own, by --init. `weights` runs the whole recipe.

    Args:
        stage: What is trained, and on whom; see above.
        data: Folders of shards that `people` made at this profile or a larger one: of domain wild for pretrain, studio
            for posttrain and face, relit for relight; for mixed wild and studio, for loose, loose_without and hanging
            garment and studio, a folder of each.
        out: Folder for weights.safetensors, log.csv and the last two states (to resume).
        profile: Sizes of the model, steps, people and photographs of a step: smoke takes minutes on two cores, study a
            quarter of an hour, laptop hours. The model's sizes are those of --init where that is given.
        init: Weights to start from, template and all.
        inherit_from: Weights of other sizes (fewer Gaussians, smaller pictures) to start from as far as they fit.
        steps: Number of batches.
        lr: Learning rate at its highest, after a warm-up of a fortieth of the steps.
        gamma: For posttrain: what the learning rate is multiplied by from each layer to the one before it; other stages
            have one rate for all.
        seed: Random seed of weights and batches.
        resume: Go on from the newest whole state in --out, with the same people, weights and settings.
        encoder: Image encoder: pixels (none), or the folder of a DINOv2, DINOv3 or Sapiens 2.
        shard: Under torchrun, share the parameters between the processes too (FSDP2), not the batch alone.
        precision: Of the network: float32, bfloat16, or whichever is quicker here by a timed step (auto).
        validate: Folder of shards of validation people (seeds 9000-9999), whose psnr (dB) is logged twenty times a run.
        keep_steps: Steps after which weights are kept as well, in half precision (weights_000100.safetensors).
    """
    from lca_core.training.stages import train_stage

    hold(0, steps=steps, lr=lr, seed=seed)
    hold(0.01, 1, gamma=gamma)
    train_stage(
        stage,
        data,
        writable_folder(out),
        profile,
        init=init,
        inherit_from=inherit_from,
        steps=steps,
        lr=lr,
        gamma=gamma,
        seed=seed,
        resume=resume,
        encoder=encoder,
        shard=shard,
        precision=precision,
        validate=validate,
        keep_steps=keep_steps,
    )


def weights(
    profile: ProfileName = "smoke",
    out: Annotated[Path | None, unless("runs/PROFILE", "FOLDER")] = None,
    minutes: Annotated[float, unless("on to the end")] = 0.0,
    workers: int = 2,
    encoder: Annotated[str | None, unless("pixels", "pixels|FOLDER")] = None,
) -> None:
    """The whole recipe: people, pretraining, post-training, evaluation. Run it again to go on where it stopped.

    Args:
        profile: Sizes of everything: smoke for a first look, in minutes on two cores, laptop for hours.
        out: Folder for data, checkpoints and weights.
        minutes: Stop training after so many minutes, with a checkpoint.
        workers: Processes that draw people.
        encoder: Image encoder, as for `train`.
    """
    from lca_core.evaluation.report import evaluate_folder
    from lca_core.training import Paused
    from lca_core.training.recipe import draw_sets, train_both

    hold(workers=workers)
    hold(0, minutes=minutes)
    out = writable_folder(out or Path("runs", profile))
    data = draw_sets(profile, out / "data", workers)
    try:
        trained = train_both(profile, data, out, minutes, encoder)
    except Paused as pause:
        print(f"{pause}; run the same command again to go on")
        return
    for domain in ("studio", "wild"):
        print(evaluate_folder(data[f"{domain}-test"], trained, encoder=encoder))


def plan(
    profile: ProfileName = "paper", tflops: Annotated[float, unless("an H100's, 989")] = 0.0, used: float = 0.35
) -> None:
    """Count what training a profile takes: parameters, memory, arithmetic, GPU-hours. Nothing is trained.

    Args:
        profile: Sizes of the model and the run.
        tflops: Peak of one GPU in bfloat16, 10^12 operations a second.
        used: Share of it that a step reaches, 0 to 1.
    """
    from lca_core.body import BodyModel
    from lca_core.model import encoder_named, rows_length
    from lca_core.profiles import profile as profile_named
    from lca_core.training.plan import H100_TFLOPS
    from lca_core.training.plan import plan as count
    from lca_core.training.stages import ENCODER

    hold(0, tflops=tflops)
    hold(0.001, 1, used=used)
    rows = rows_length(encoder_named(ENCODER))
    counted = count(profile_named(profile), rows, BodyModel.load(), tflops or H100_TFLOPS, used)
    print(counted.text())


def avatar(
    photos: Annotated[tuple[Path, ...], Positional, tyro.conf.arg(help_behavior_hint="(required)")],
    out: Path,
    checkpoint: WEIGHTS = None,
    encoder: ENCODER = None,
    refine: Annotated[int | None, unless("20 from two photographs on, 0 for one", "INT")] = None,
) -> None:
    """Photographs of one person to an avatar: avatar.safetensors, avatar.ply, sheet.png, walk.mp4.

    Says what it is doing, how sure it is of the result, and which photographs would make a better one.

    Args:
        photos: One or more photographs of the same person.
        out: Folder for the files.
        checkpoint: Weights, as `train` writes them.
        encoder: Folder of the image encoder, where the weights were trained with one of your own.
        refine: Steps of optimisation on the photographs after the forward pass. 0: the forward pass alone, as in the
            paper, which is also what weights that look again by the gradient get.
    """
    from lca_core.making.advice import advice, certainty
    from lca_core.making.files import write_avatar
    from lca_core.making.photos import avatar_from_photos
    from lca_core.making.release import load_complete
    from lca_core.model import encoder_of
    from lca_core.release import RELEASE

    hold(0, refine=refine or 0)
    if not photos:
        raise InputError("no photograph was given; give one or more of the same person")
    writable_folder(out)
    model, meta = load_complete(checkpoint or RELEASE)
    made, person = avatar_from_photos(photos, model, encoder_of(meta, encoder), refine_steps=refine, tell=_doing)
    _doing("drawing a sheet and a short walk")
    paths = write_avatar(made, person, out)
    print("How sure:", *certainty(person), sep="\n  ")
    if advised := advice(person):
        print("What would make it better:", *advised, sep="\n  ")
    print("Written:", *paths, sep="\n  ")
    print(f"Play with it: python -m lca_core demo --avatar {paths[0]}")


def _doing(what: str) -> None:
    """Tell what is done now, beside the results, which are on standard output."""
    print(f"{what} ...", file=sys.stderr, flush=True)


def demo(
    avatar: Annotated[Path | None, unless("one is made of photographs that ship with the repository", "PATH")] = None,
    checkpoint: WEIGHTS = None,
    port: Annotated[int, unless("one that is free")] = 0,
    browser: bool = True,
) -> None:
    """Play with an avatar in the browser: body, fingers, gaze, all 52 facial actions, motions, camera.

    The page is served to this machine alone, at 127.0.0.1, until Ctrl-C; once it is open it needs no server.

    Args:
        avatar: avatar.safetensors, as the command `avatar` writes it.
        checkpoint: Weights to make one with, where none is given.
        port: Of the server.
        browser: Open the browser; without, the address is only printed.
    """
    import webbrowser

    from lca_core.making.demo import TITLE, demo_avatar, page_of
    from lca_core.model import Avatar
    from lca_core.release import RELEASE
    from lca_core.viewer.serve import served, until_ended

    hold(0, 65535, port=port)
    if avatar is not None and checkpoint is not None:
        raise InputError("--checkpoint makes the avatar that --avatar already is; leave one of them out")
    made = demo_avatar(checkpoint or RELEASE, tell=_doing) if avatar is None else Avatar.load(avatar)
    page = page_of(made, TITLE if avatar is None else "", _doing)
    with until_ended() as wait, served(page, port) as address:
        print(f"{address} (Ctrl-C ends it)", flush=True)
        if browser and not webbrowser.open(address):
            print("no browser could be opened from here; open that address in one", flush=True)
        wait()
        print()


def curate(
    input: Positional[Path],
    out: Path,
    profile: ProfileName = "laptop",
    rate: float = 2.5,
    frames: int = 16,
    licence: str = "not stated",
    consent: str = "not stated",
    engine: Literal["local", "ray"] = "local",
    workers: int = 2,
    address: ADDRESS = None,
    seconds: float = 300.0,
) -> None:
    """Curate a folder of clips and photographs: find, cut out, judge, fit, group; write records that `train` reads.

    A folder with photographs in it counts as one person's. Goes on where it was interrupted; a broken file costs itself
    only. Look at report.html in the output first.

    Args:
        input: A clip, or a folder of clips (mp4, mov, webm ...) and of folders of photographs.
        out: Folder to write: train/, validation/, test/ (shards), croissant.json, DATASHEET.md, report.html.
        profile: Sizes of the pictures.
        rate: Pictures a second taken from a clip.
        frames: The most pictures taken from a clip.
        licence: Under which the input may be used; written to every record and the manifest.
        consent: What the people shown agreed to; written beside it.
        engine: local (processes of this machine) or ray (a cluster that sees the same folders).
        workers: Processes, or Ray actors.
        address: Of a running Ray cluster.
        seconds: For one item, after which it is given up; with more, the same command tries those again.
    """
    from lca_core.curation.collection import curate as run
    from lca_core.curation.engines import ENGINES
    from lca_core.curation.finding import summary
    from lca_core.curation.items import Job

    hold(frames=frames)
    hold(0.001, 1e6, rate=rate, seconds=seconds)
    _check_engine(engine, workers, address)
    writable_folder(out)
    job = Job(input.resolve(), out.resolve(), profile, rate, frames, licence, consent, seconds=seconds)
    more = {"address": address} if engine == "ray" else {}
    made = run(job, partial(ENGINES[engine], workers=workers, **more))
    people = len({entry.identity for entry in made.kept})
    print(f"kept {len(made.kept)} of {len(made.entries)}, {people} people")
    for line in summary(made.left_out):
        print(f"left out {line}")
    for entry in made.kept:
        for reason in entry.left_out:
            print(f"left out of {entry.file}: {reason.text}")
    for path in made.files:
        print(path)


def drive(
    avatar: Positional[Path],
    out: Path,
    motion: str = "walk",
    like: Annotated[Path | None, unless("the motion", "PATH")] = None,
    frames: int = 75,
    fps: int = 25,
    px: int = 320,
    light: Annotated[str | None, unless("that of the photographs", "NAME")] = None,
    light_turns: float = 0.0,
    view: Literal["body", "face"] = "body",
) -> None:
    """Drive a saved avatar with a ready-made motion, or like the person in a clip, and write a video.

    Args:
        avatar: avatar.safetensors.
        out: The video, .mp4.
        motion: walk, turn, wave, reach, squat, dance ..., or an SMPL-X .npz file.
        like: A clip (mp4, mov, webm ...) whose person is followed instead: body, hands, head, mouth, lids and gaze, for
            ten seconds at most; or a shard (.tar) of records, whose first person is.
        frames: Length of a ready-made motion, in frames.
        fps: Frames a second.
        px: Side of the picture, in pixels.
        light: Another light: studio, lamp_00 to lamp_23, sunset, window, fireplace ...
        light_turns: How often the light goes round the person meanwhile.
        view: The whole body, or the face alone.
    """
    from lca_core.making.driving import drive_to_video

    hold(frames=frames)
    hold(-100, 100, light_turns=light_turns)
    hold(1, 240, fps=fps)
    hold(16, 4096, px=px)
    print(drive_to_video(avatar, out, motion, like, frames, fps, px, light, light_turns, view, print))


def export(
    avatar: Positional[Path],
    out: Path,
    kinds: Annotated[tuple[FileKind, ...], tyro.conf.arg(name="as")],
    motion: Annotated[str, unless("the T-pose; what moves walks", "NAME|PATH")] = "",
    frame: int = 0,
    frames: int = 75,
    fps: int = 25,
    px: int = 512,
) -> None:
    """Write a saved avatar in the files that other programs open.

    Args:
        avatar: avatar.safetensors.
        out: Folder for the files, which are called after the avatar.
        kinds: Gaussians as ply, compressed.ply, spz, sog or glb; rigged.glb, the body's mesh with joints, facial
            actions and a texture; npz, a motion in SMPL-X's layout; mp4 and gif, the motion drawn; turntable.mp4;
            html, the page that `page` writes.
        motion: walk, turn, wave, reach, squat, dance ..., or an SMPL-X .npz file: Gaussians then stand as in one of its
            frames, and rigged.glb brings it as an animation.
        frame: That frame, counted from 0.
        frames: Length of a ready-made motion, in frames.
        fps: Frames a second of a ready-made motion.
        px: Side of pictures, in pixels.
    """
    from lca_core.making.export import export as run

    hold(0, frame=frame)
    hold(frames=frames)
    hold(1, 240, fps=fps)
    hold(16, 4096, px=px)
    for path in run(avatar, out, kinds, motion, frame, frames, fps, px):
        print(path)


def page(
    avatar: Positional[Path], out: Path, title: Annotated[str, unless("whom the avatar is of", "TEXT")] = ""
) -> None:
    """Write a saved avatar as one HTML page that drives and draws it in any browser, without Python or network.

    Args:
        avatar: avatar.safetensors.
        out: The page, .html.
        title: Its heading.
    """
    from lca_core.model import Avatar
    from lca_core.viewer.page.write import write_page

    if out.suffix != ".html":
        raise InputError(f"{out} does not end in .html; a page is written")
    like = write_page(Avatar.load(avatar), writable(out), title or None)
    print(f"{out} ({out.stat().st_size / 1e6:.1f} MB; {like['body']:.1f} dB of psnr from the full avatar)")


def evaluate(
    data: Path,
    checkpoint: WEIGHTS = None,
    inputs: int = 4,
    baselines: bool = False,
    json: bool = False,
    record: bool = False,
    sheet: Annotated[Path | None, unless("none is drawn", "PATH")] = None,
    sheet_people: int = 4,
    encoder: ENCODER = None,
    second: Annotated[Path | None, unless("they are judged on other pictures of --data", "FOLDER")] = None,
) -> None:
    """Evaluate a checkpoint on any folder of records made by `people`.

    Args:
        data: Folder of shards.
        checkpoint: Weights, as `train` writes them.
        inputs: Photographs of each person that the model is shown; it is judged on the others.
        baselines: Also the avatars refined on their photographs, the mean template, per-person optimisation and the
            nearest photograph, copied.
        json: Print JSON instead of a table.
        record: Write the numbers to results/records/ (of the shipped release, from committed code).
        sheet: A PNG or JPEG to draw the first people into, truth above avatar (above refined avatar, with --baselines).
        sheet_people: How many.
        encoder: Folder of the image encoder, where the weights were trained with one of your own.
        second: Folder of second clips of the same people (domain wild2): they are judged on these.
    """
    from lca_core.evaluation.report import evaluate_folder

    hold(inputs=inputs, sheet_people=sheet_people)
    if sheet is not None:
        writable(sheet)
    print(evaluate_folder(data, checkpoint, inputs, baselines, json, record, sheet, sheet_people, encoder, second))


def verify(full: bool = False, people: Annotated[int, unless("the sample of every record's own measurer")] = 0) -> None:
    """Hold the records to what they say; exit code 1, with names, when one does not hold.

    Recomputes every record from its people's own values, checks the hashes of weights and inputs, and measures a sample
    again (about a quarter of an hour on 2 cores).

    Args:
        full: Measure all that is live, and all speeds (hours).
        people: Measure so many test people a domain, with the release, refinement and the baselines, and nothing else.
    """
    from lca_core.evaluation.report import verification_text
    from lca_core.evaluation.verify import verify as run

    hold(0, people=people)
    if people and full:
        raise InputError("--people is a number of people; leave it out with --full, which takes them all")
    verdict = run(people or None, full)
    print(verification_text(verdict))
    if not verdict.holds:
        sys.exit(1)


def experiments(
    only: Annotated[tuple[str, ...], unless("all rows of the profile")] = (),
    list: bool = False,
    profile: ProfileName = "study",
    workers: int = 2,
    verify: bool = False,
) -> None:
    """Run the experiments of the table (lca_core/experiments/table.py) and write their records.

    What was interrupted goes on, what is done is left alone, what is stale (its row, people or code changed) is made
    anew: runs are kept in runs/experiments. Look with --list first.

    Args:
        only: Names or patterns (table1/pre_post, ablation/*), of whatever profile.
        list: Print the rows and what has become of their runs; nothing is run.
        profile: Whose rows, where none is named.
        workers: Processes that draw people.
        verify: Write no records; print those there beside what was measured; exit code 1 where they disagree.
    """
    from lca_core.experiments import chosen, held_to_records, listing, make, report
    from lca_core.paths import RECORDS

    hold(workers=workers)
    rows = chosen(only, profile)
    if list:
        print(listing(rows))
        return
    made = make(rows, records=None if verify else RECORDS, workers=workers)
    if not verify:
        print(report(made))
        return
    text, holds = held_to_records(made)
    print(text)
    if not holds:
        sys.exit(1)


COMMANDS = {
    command.__name__: command
    for command in (
        people,
        curate,
        refit,
        train,
        weights,
        plan,
        avatar,
        demo,
        drive,
        export,
        page,
        evaluate,
        verify,
        experiments,
    )  # fmt: skip
}


def main() -> None:
    """Parse the command line and run it; wrong input, and what cannot be written, is told on standard error with exit
    code 2."""
    try:
        tyro.extras.subcommand_cli_from_dict(COMMANDS, prog="python -m lca_core", description=__doc__)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except FloatingPointError as error:  # a training that came apart: nobody's input, nothing to trace
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if error.errno not in _WRITING:
            raise
        print(f"error: {error.filename or 'a file'}: {error.strerror}; give another place", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
