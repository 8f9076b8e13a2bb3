"""Pictures of curation's stages, for looking at by eye: each function returns a matplotlib figure."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, ImageDraw

from lca_core.body import BodyModel, full_pose
from lca_core.curation.crops import Square, body_square, face_square, person_box
from lca_core.curation.detect import POSE_VISIBLE, Sighting
from lca_core.curation.items import Entry
from lca_core.curation.stages import CuratedClip, CuratedFrame
from lca_core.data.records import Frame, Person, Picture

GREEN = (40, 150, 70)
BONES = (
    *((11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
    *((11, 23), (12, 24), (23, 24), (23, 25), (25, 27), (24, 26), (26, 28)),
)


def composite(image: np.ndarray, matte: np.ndarray, colour: tuple[int, int, int] = GREEN) -> np.ndarray:
    """The person (uint8 [H, W, 3] with matte [H, W]) on a plain colour: edges and holes show at once."""
    alpha = matte[..., None] / 255
    return np.uint8(image * alpha + np.array(colour) * (1 - alpha))


def pictures(images: Sequence[np.ndarray], titles: Sequence[str], columns: int = 4, size: float = 2.6) -> Figure:
    """Images in rows, each under its title."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(size * columns, size * 1.1 * rows), squeeze=False)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray" if image.ndim == 2 else None)
        axis.set_title(title, fontsize=9)
    figure.tight_layout()
    return figure


def stages(image: np.ndarray, person: Sighting, matte: np.ndarray) -> Figure:
    """One picture through the stages: as read, landmarks, crops, matte, the person on green."""
    figure, axes = plt.subplots(1, 4, figsize=(13, 3.5))
    axes[0].imshow(image)
    axes[0].set_title("1. as read")
    draw_landmarks(axes[1], image, person)
    axes[1].set_title("2. face mesh and pose")
    draw_crops(axes[2], image, person, matte)
    axes[2].set_title("3. body and face crop")
    axes[3].imshow(composite(image, matte))
    axes[3].set_title("4. the matte, on green")
    for axis in axes:
        axis.axis("off")
    figure.tight_layout()
    return figure


def draw_landmarks(axis: Axes, image: np.ndarray, person: Sighting) -> None:
    """The face mesh as points, the pose's visible bones as lines, over the darkened picture."""
    axis.imshow(image // 2)
    if person.mesh is not None:
        axis.scatter(person.mesh[:, 0], person.mesh[:, 1], s=0.5, c="cyan", linewidths=0)
        axis.scatter(person.mesh[468:, 0], person.mesh[468:, 1], s=2, c="yellow", linewidths=0)
    if person.pose is not None:
        for a, b in BONES:
            if min(person.pose[a, 3], person.pose[b, 3]) > POSE_VISIBLE:
                axis.plot(person.pose[[a, b], 0], person.pose[[a, b], 1], "-o", c="orange", lw=1.5, ms=3)
    axis.set_xlim(0, image.shape[1])
    axis.set_ylim(image.shape[0], 0)


def draw_crops(axis: Axes, image: np.ndarray, person: Sighting, matte: np.ndarray) -> None:
    """The squares that body and face are cropped to; a square may hang over the edge."""
    axis.imshow(image)
    squares = [(body_square(person_box(matte), *image.shape[:2]), "lime")]
    if person.face is not None:
        squares.append((face_square(person.face), "cyan"))
    for square, colour in squares:
        _draw_square(axis, square, colour)
    sides = np.array([(s.left, s.top, s.left + s.side, s.top + s.side) for s, _ in squares])
    height, width = image.shape[:2]
    axis.set_xlim(min(0, sides[:, 0].min()) - 2, max(width, sides[:, 2].max()) + 2)
    axis.set_ylim(max(height, sides[:, 3].max()) + 2, min(0, sides[:, 1].min()) - 2)


def _draw_square(axis: Axes, square: Square, colour: str) -> None:
    axis.add_patch(Rectangle((square.left, square.top), square.side, square.side, fill=False, ec=colour, lw=1.8))


def record(person: Person, columns: int = 8) -> Figure:
    """What the model gets of a person: body pictures above, face crops below, on green."""

    def shown(picture: Picture | None) -> np.ndarray:
        return np.zeros((8, 8, 3), np.uint8) if picture is None else composite(picture.image, picture.matte)

    frames = person.frames[:columns]
    images = [shown(f.body) for f in frames] + [shown(f.face) for f in frames]
    titles = [f"body {f.instant}" for f in frames] + [f"face {f.instant}" for f in frames]
    # one or two frames: body and face side by side
    columns = len(frames) if len(frames) > 2 else 2 * len(frames)
    return pictures(images, titles, columns, size=min(3.0, 13 / columns))


def bodies(person: Person, columns: int = 6) -> Figure:
    """The fitted body laid over the body pictures of tracked frames."""
    body = BodyModel.load()
    frames = [frame for frame in person.frames if frame.tracked][:columns]
    images = [image for frame in frames for image in (frame.body.image, body_over(frame, person.betas, body))]
    titles = [title for frame in frames for title in (f"frame {frame.instant}", "fitted body")]
    columns = min(len(images), 6)
    return pictures(images, titles, columns, size=13 / max(columns, 4))


def body_over(frame: Frame, betas: np.ndarray, body: BodyModel, px: int = 336) -> np.ndarray:
    """uint8 [px, px, 3]: the posed body [300] as grey plaster, half transparent, over the frame's body picture."""
    theta, root, gaze = (torch.from_numpy(x)[None] for x in (frame.theta, frame.root, frame.gaze))
    posed = body(torch.from_numpy(betas)[None], None, full_pose(theta, root, gaze), root[:, 3:])
    camera = frame.body.camera
    seen = posed.vertices[0].numpy() @ camera.viewmat[:3, :3].T + camera.viewmat[:3, 3]
    pixels = (seen[:, :2] / seen[:, 2:].clip(0.05) * camera.K[0, 0] + camera.K[:2, 2]) * (px / camera.width)
    corners = seen[body.faces.numpy()]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    facing = -(normals * corners.mean(1)).sum(1) / np.linalg.norm(corners.mean(1), axis=1)
    shown = np.flatnonzero((facing > 0) & (corners[..., 2].min(1) > 0.1))
    shown = shown[np.argsort(-corners[shown, :, 2].mean(1))]  # the farthest first
    image = Image.fromarray(frame.body.image).resize((px, px), Image.Resampling.LANCZOS)
    plaster, cover = image.copy(), Image.new("L", image.size)
    draw, mask = ImageDraw.Draw(plaster), ImageDraw.Draw(cover)
    for triangle, light in zip(pixels[body.faces.numpy()[shown]].reshape(-1, 6).tolist(), facing[shown]):
        draw.polygon(triangle, fill=(int(70 + 170 * light),) * 3)
        mask.polygon(triangle, fill=190)
    return np.asarray(Image.composite(plaster, image, cover))


def costs(entries: Sequence[Entry], kinds: Mapping[str, str]) -> Figure:
    """How many items were kept, and how many dropped for each kind of reason (the first that was found)."""
    dropped = [entry.reasons[0].kind for entry in entries if not entry.keep]
    counts = sorted(((dropped.count(kind), kinds[kind]) for kind in set(dropped)), reverse=True)
    rows = [(sum(entry.keep for entry in entries), "kept"), *counts]
    figure, axis = plt.subplots(figsize=(8, 0.32 * len(rows) + 0.8))
    axis.barh([name for _, name in rows], [count for count, _ in rows], color=["green", *["tab:red"] * len(counts)])
    axis.invert_yaxis()
    axis.set(xlabel=f"of {len(entries)} items")
    axis.xaxis.get_major_locator().set_params(integer=True)
    figure.tight_layout()
    return figure


def filmstrip(frames: Sequence[CuratedFrame], columns: int = 8) -> Figure:
    """Frames with their times, kept ones framed green, dropped ones red with the first reason."""
    chosen = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, min(columns, len(frames))).astype(int))]
    figure, axes = plt.subplots(1, len(chosen), figsize=(13, 2.4), squeeze=False)
    for axis, frame in zip(axes.flat, chosen, strict=True):
        axis.imshow(frame.image if frame.matte is None else composite(frame.image, frame.matte))
        colour = "green" if frame.verdict.keep else "red"
        axis.set(xticks=[], yticks=[])
        for spine in axis.spines.values():
            spine.set(color=colour, linewidth=3)
        reason = "" if frame.verdict.keep else "\n" + _wrap(frame.verdict.reasons[0].text)
        axis.set_title(f"{frame.time:.2f} s{reason}", fontsize=7, color=colour)
    figure.tight_layout()
    return figure


def shot_distances(clip: CuratedClip, threshold: float) -> Figure:
    """Histogram distance from each frame to the next, the cut threshold, and the shots it makes."""
    figure, axis = plt.subplots(figsize=(9, 2.4))
    axis.bar(np.arange(len(clip.distances)) + 1, clip.distances, width=1.0, color="tab:blue")
    axis.axhline(threshold, color="red", ls="--", label="cut")
    for number, (start, end) in enumerate(clip.shots):
        axis.axvspan(start, end, alpha=0.15, color=f"C{number}", lw=0, label=f"shot {number + 1}")
    axis.set(xlabel="frame", ylabel="histogram distance", ylim=(0, 1))
    axis.legend(fontsize=7, ncols=4)
    figure.tight_layout()
    return figure


def measures(clips: Mapping[str, CuratedClip], names: Sequence[str] = ("face_px", "sharpness", "brightness")) -> Figure:
    """One panel a measure: each clip's frames as dots, green kept, red dropped."""
    figure, axes = plt.subplots(1, len(names), figsize=(4 * len(names), 0.4 * len(clips) + 1.2), sharey=True)
    for axis, name in zip(axes, names, strict=True):
        for row, clip in enumerate(clips.values()):
            for frame in clip.frames:
                if frame.measures.people == 1:
                    colour = "green" if frame.verdict.keep else "red"
                    axis.plot(getattr(frame.measures, name), row, "o", ms=4, alpha=0.6, c=colour)
        axis.set_xlabel(name)
    axes[0].set_yticks(range(len(clips)), list(clips))
    axes[0].invert_yaxis()
    figure.tight_layout()
    return figure


def _wrap(sentence: str, width: int = 24) -> str:
    lines, line = [], ""
    for word in sentence.split():
        if len(line) + len(word) > width:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return "\n".join([*lines, line][:4])
