"""The one table of sizes. Every notebook and command takes a profile by name."""

from dataclasses import dataclass, fields

from lca_core.errors import InputError


@dataclass(frozen=True)
class Profile:
    """Sizes of the data, the model and the training run.

    Image sides are multiples of 14, the patch of the default image encoder.
    """

    name: str
    body_px: int  # side of the square body picture, input and supervision
    face_px: int  # side of the square face crop
    dim: int  # D, channels of a token
    depth: int  # L, encoder layers
    heads: int
    anchors: int  # G, geometry tokens
    gaussians_per_anchor: int
    wild_people: int
    studio_people: int
    test_people: int  # per domain
    wild_frames: int  # pictures a wild clip
    studio_poses: int
    studio_cameras: int  # pictures a pose
    inputs: int  # N, photographs shown to the encoder in training
    batch_people: int
    views: int  # supervised pictures a person and step
    pretrain_steps: int
    posttrain_steps: int
    samples_per_pixel: int  # path tracer, before denoising
    color_reading: bool = True  # ours, see model/colors.py
    pixel_alignment: bool = True  # ours, see model/alignment.py
    face_shapes: bool = True  # ours, see model/face.py; with all three False it is the paper's plain model
    dual_branch: bool = True  # False: the driven branch alone makes everything (the paper's Table S1)
    hand_px: int = 56  # side of the square hand crops
    reads: str = ""  # the profile whose people it reads, scaled down; "": its own
    parts: tuple[str, ...] = ()  # optional decoders, by their names in model/parts.py

    def __post_init__(self):
        object.__setattr__(self, "parts", tuple(self.parts))  # a file's header has a list

    @property
    def recording(self) -> dict[str, int]:
        """The sizes that decide what is recorded of a person."""
        pictures = ("body_px", "face_px", "hand_px", "samples_per_pixel")
        names = (*pictures, "wild_frames", "studio_poses", "studio_cameras")
        return {name: getattr(self, name) for name in names}


PROFILES = {
    p.name: p
    for p in (
        Profile("smoke", 112, 112, 96, 2, 3, 256, 4, 8, 4, 2, 6, 2, 4, 4, 2, 2, 30, 20, 4),
        Profile("study", 112, 112, 96, 2, 3, 512, 8, 480, 128, 64, 8, 3, 6, 4, 4, 2, 750, 250, 4, reads="laptop"),
        Profile("laptop", 168, 112, 128, 3, 4, 1024, 16, 480, 128, 64, 8, 3, 6, 4, 4, 2, 7600, 1200, 4),
        Profile("gpu", 252, 252, 512, 8, 8, 2048, 16, 2048, 128, 64, 12, 6, 8, 4, 8, 4, 20_000, 4_000, 16, hand_px=112),
        Profile(
            "paper",
            1022,
            1022,
            1024,
            8,
            16,
            8192,
            8,
            1_000_000,
            2737,
            64,
            64,
            64,
            200,
            8,
            64,
            4,
            500_000,
            50_000,
            64,
            hand_px=504,
        ),
    )
}


def profile(name: str) -> Profile:
    """The profile called `name`; an InputError lists the names when there is none."""
    if name not in PROFILES:
        raise InputError(f"no profile is called {name!r}; choose one of {', '.join(PROFILES)}")
    return PROFILES[name]


def table() -> str:
    """All profiles as a Markdown table, one row a field."""
    names = list(PROFILES)
    lines = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for field in fields(Profile)[1:]:
        row = [_cell(getattr(p, field.name)) for p in PROFILES.values()]
        lines.append(f"| {field.name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def _cell(value: int | bool | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or "none"
    return "yes" if value is True else f"{value:,}"
