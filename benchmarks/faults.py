"""Clips with planted faults: does curation find each, and only where it is?

Ten faults are planted in clips of digital humans, beside sound ones; which people a clip may be made of is decided by
the truth (the light on them, where they look, what stands before them), never by what curation says of them.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from clips import wild_shards, write_clip
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from tqdm.auto import tqdm

from lca_core.body import JOINT_NAMES, BodyModel, full_pose, joint_transforms
from lca_core.curation.collection import settle
from lca_core.curation.engines import local
from lca_core.curation.filters import luminance
from lca_core.curation.finding import search
from lca_core.curation.items import Entry, Job
from lca_core.data import Person, read_people

CLIPS_A_FAULT, SOUND = 20, 30
# What a planted fault must be called, any of.
FOUND_AS = {
    "blur": {"blurred"}, "cut": {"cut"}, "two_people": {"several_people"}, "cropped_head": {"head_cut_off"},
    "frozen": {"frozen"}, "dark": {"dark"}, "corrupted": {"broken", "unreadable"}, "duplicate": {"duplicate"},
    "too_short": {"short"}, "subtitles": {"text"},
}  # fmt: skip
_LIT, _AHEAD, _FACE_M = 0.12, np.radians(60), 0.177
_WORDS = ("where", "have", "you", "been", "all", "this", "time", "never", "mind", "let's", "go", "home", "subscribe",
          "now", "(music)", "Part", "II", "what", "a", "day", "- Yes.", "- No?", "www.example.org", "1984")  # fmt: skip


@dataclass(frozen=True)
class Sound:
    """A person's clip without a fault. images uint8 [T, H, W, 3]; mattes [T, H, W]; crown, chin [T]: of the head."""

    seed: int
    images: np.ndarray
    mattes: np.ndarray
    crown: np.ndarray
    chin: np.ndarray


@dataclass(frozen=True)
class Found:
    """wrong: names of clips in which a fault was missed or invented, with what was said of them."""

    fault: str
    precision: float
    recall: float
    wrong: tuple[str, ...]


def sound_clips(seeds: Sequence[int], workers: int = 2) -> list[Sound]:
    """Clips that by the truth are lit, show a face of 26 px or more, and nothing before the person."""
    people = read_people(wild_shards(seeds, workers))
    return [clip for person in people if (clip := _sound(person)) is not None]


def _sound(person: Person) -> Sound | None:
    images, mattes = (np.stack([getattr(f.body, name) for f in person.frames]) for name in ("image", "matte"))
    lit = min(float(luminance(i)[m > 127].mean()) for i, m in zip(images, mattes))
    if person.meta["occluded"] or lit < _LIT:
        return None
    body = BodyModel.load()
    rest = body.rest_joints(torch.from_numpy(person.betas)[None])
    crown, chin, ahead = [], [], 0
    for frame in person.frames:
        theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
        moved, joints = joint_transforms(rest, full_pose(theta, root, gaze), root[:, 3:], body.parents)
        camera, head = frame.body.camera, moved[0, JOINT_NAMES.index("head")].numpy()
        eyes = joints[0, [JOINT_NAMES.index(f"{side}_eye_smplhf") for side in ("left", "right")]].mean(0).numpy()
        depth = float(camera.viewmat[2, :3] @ eyes + camera.viewmat[2, 3])
        row = float(camera.viewmat[1, :3] @ eyes + camera.viewmat[1, 3]) / depth * camera.K[1, 1] + camera.K[1, 2]
        face_px = _FACE_M * camera.K[0, 0] / depth
        towards = -camera.viewmat[:3, :3].T @ camera.viewmat[:3, 3] - eyes
        facing = np.arccos(np.clip(head[:3, 2] @ towards / np.linalg.norm(towards), -1, 1)) < _AHEAD
        ahead += facing and frame.face is not None and face_px >= 26
        crown.append(row - 0.7 * face_px)
        chin.append(row + 0.65 * face_px)
    whole = min(crown) > 4  # the head is in the picture
    clip = Sound(person.seed, images, mattes, np.array(crown), np.array(chin))
    return clip if whole and ahead >= len(images) - 2 else None


def planted(fault: str, own: Sound, others: Sequence[Sound], path: Path, generator: np.random.Generator) -> Path:
    """Write a clip with the fault; others: people for cuts and company."""
    images = {
        "blur": _blurred, "cut": partial(_montage, others=others), "two_people": partial(_together, other=others[0]),
        "cropped_head": _headless, "frozen": _frozen, "dark": _dark, "too_short": _short, "subtitles": _subtitled,
        "duplicate": _copied,
    }.get(fault, _as_it_is)(own, generator=generator)  # fmt: skip
    write_clip(path, images, quality=28 if fault == "duplicate" else 18)
    if fault == "corrupted":
        _damage(path, generator)
    return path


def _as_it_is(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    return clip.images


def _blurred(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    radius = generator.uniform(2.5, 6)
    return np.stack([np.asarray(Image.fromarray(i).filter(ImageFilter.GaussianBlur(radius))) for i in clip.images])


def _montage(clip: Sound, others: Sequence[Sound], generator: np.random.Generator) -> np.ndarray:
    return np.concatenate([clip.images[:3], others[0].images[:3], others[1].images[:2]])


def _together(clip: Sound, other: Sound, generator: np.random.Generator) -> np.ndarray:
    """Another person beside the first, a little smaller or larger, before the first one's mirrored surroundings."""
    scale, frames = generator.uniform(0.75, 1.0), []
    for image, theirs, matte in zip(clip.images, other.images, other.mattes):
        scene = np.concatenate([image, image[:, ::-1]], 1)
        mirrored = np.asarray(Image.fromarray(scene[:, image.shape[1] :]).filter(ImageFilter.GaussianBlur(12)))
        side = int(scale * len(image)) // 2 * 2
        them, alpha = (np.asarray(Image.fromarray(x).resize((side, side))) for x in (theirs, matte))
        placed = mirrored.copy()
        here = placed[len(image) - side :, (image.shape[1] - side) // 2 :][:side, :side]
        here[:] = np.round(here + (them.astype(float) - here) * (alpha[..., None] / 255)).astype(np.uint8)
        frames.append(np.concatenate([image, placed], 1))
    return np.stack(frames)


def _headless(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    """Cut off at between a fifth and three fifths of the head, in every frame."""
    share, low = generator.uniform(0.2, 0.6), len(clip.images[0])
    rows = [int(crown + share * (chin - crown)) for crown, chin in zip(clip.crown, clip.chin)]
    height = (low - max(rows)) // 2 * 2
    return np.stack([image[max(row, 0) : max(row, 0) + height] for image, row in zip(clip.images, rows)])


def _frozen(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    return np.repeat(clip.images[generator.integers(len(clip.images))][None], len(clip.images), 0)


def _dark(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    mean = float(np.mean([luminance(i)[m > 127].mean() for i, m in zip(clip.images, clip.mattes)]))
    return np.round(clip.images * (generator.uniform(0.015, 0.05) / mean)).astype(np.uint8)


def _short(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    return clip.images[: generator.integers(1, 4)]


def _copied(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    """Smaller, and a frame shorter at the start."""
    side = int(generator.uniform(0.7, 0.9) * clip.images.shape[1]) // 2 * 2
    return np.stack([np.asarray(Image.fromarray(i).resize((side, side))) for i in clip.images[1:]])


def _subtitled(clip: Sound, generator: np.random.Generator) -> np.ndarray:
    """A line of words below (or, now and then, a watermark above), white or yellow, outlined or on a dark box."""
    side = clip.images.shape[1]
    text = " ".join(generator.choice(_WORDS, generator.integers(4, 7), replace=False))
    font = ImageFont.load_default(int(generator.integers(15, 24)))
    color, boxed, above = generator.choice(["white", "#ffe95c"]), generator.random() < 0.3, generator.random() < 0.2
    frames = []
    for image in clip.images:
        picture = Image.fromarray(image)
        draw = ImageDraw.Draw(picture)
        left, top, right, bottom = draw.textbbox((0, 0), text, font)
        x, y = max(4, (side - right) // 2), 10 if above else side - bottom - 16
        if boxed:
            draw.rectangle([x - 6, y + top - 4, x + right + 6, y + bottom + 4], "black")
        draw.text((x, y), text, color, font, stroke_width=0 if boxed else 2, stroke_fill="black")
        frames.append(np.asarray(picture))
    return np.stack(frames)


def _damage(path: Path, generator: np.random.Generator) -> None:
    """Bytes lost in the middle, or the second half of the file."""
    data = bytearray(path.read_bytes())
    if generator.random() < 0.5:
        path.write_bytes(bytes(data[: len(data) * 3 // 5]))
        return
    for start in generator.integers(len(data) // 5, len(data) * 3 // 5, 4):
        data[start : start + 300] = generator.bytes(300)
    path.write_bytes(bytes(data))


def write_clips(people: Sequence[Sound], folder: Path, a_fault: int, sound: int, seed: int = 0) -> dict[str, str]:
    """Write `sound` clips as they are and `a_fault` of each fault; returns file -> fault ("" for none).

    Copies are of sound clips; all else is of other people than those, as far as there are enough.
    """
    generator, faults = np.random.default_rng(seed), {}
    plain, rest = people[:sound], people[sound:] or people
    jobs: list[tuple[str, Sound]] = [("", clip) for clip in plain]
    jobs += [("duplicate", plain[i % len(plain)]) for i in range(a_fault)]
    others = [fault for fault in FOUND_AS if fault != "duplicate"]
    jobs += [(fault, rest[(k * a_fault + i) % len(rest)]) for k, fault in enumerate(others) for i in range(a_fault)]
    for n, (fault, clip) in enumerate(tqdm(jobs, desc="writing clips", unit="clip")):
        company = [c for c in rest if c.seed != clip.seed]
        chosen = [company[i] for i in generator.choice(len(company), 2, replace=False)]
        path = planted(fault, clip, chosen, folder / f"{n:03d}.mp4", generator)
        faults[path.name] = fault
    return faults


def score(entries: Sequence[Entry], faults: dict[str, str]) -> list[Found]:
    """Precision and recall of each fault that was planted, over all clips."""
    rows = []
    said = {entry.file: {reason.kind for reason in entry.reasons} for entry in entries}
    for fault, kinds in [(f, FOUND_AS[f]) for f in FOUND_AS if f in faults.values()]:
        hit = {file: bool(said[file] & kinds) for file in faults}
        true = sum(hit[file] for file, planted_ in faults.items() if planted_ == fault)
        wrong = tuple(
            f"{file} ({planted_ or 'sound'}): {', '.join(sorted(said[file])) or 'kept'}"
            for file, planted_ in faults.items() if hit[file] != (planted_ == fault)
        )  # fmt: skip
        count = sum(planted_ == fault for planted_ in faults.values())
        rows.append(Found(fault, true / max(1, sum(hit.values())), true / count, wrong))
    return rows


def measure_faults(
    seeds: Sequence[int], a_fault: int = CLIPS_A_FAULT, sound: int = SOUND, workers: int = 2,
    keep: Callable[[Entry], None] = lambda entry: None,
) -> tuple[list[Found], int]:  # fmt: skip
    """(each fault's precision and recall, how many people the clips were made of)."""
    people = sound_clips(seeds, workers)
    with tempfile.TemporaryDirectory() as name:
        folder, out = Path(name, "clips"), Path(name, "out")
        folder.mkdir()
        faults = write_clips(people, folder, a_fault, sound)
        job = Job(folder, out, "smoke")
        job.work.mkdir(parents=True)
        entries = list(tqdm(local(search(folder).items, job, workers), total=len(faults), desc="curating", unit="clip"))
        settled = settle(sorted(entries, key=lambda entry: entry.key))
        for entry in settled:
            keep(entry)
    return score(settled, faults), len(people)
