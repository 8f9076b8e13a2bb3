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
    dual_branch: bool = True  # False: one branch makes all numbers under every signal (the paper's Table S1)
    driven_branch: bool = True  # False: the canonical branch alone, moved by the body (LHM, arXiv 2503.10625)
    hand_px: int = 56  # side of the square hand crops
    phone_px: int = 768  # side of the square photographs of the phone set, which no encoder sees as they are
    chip_px: int = 56  # side of the square of a face that expression codes are read from
    face_rank: int = 0  # of what expression codes are learned to do to every face, see model/face.py; 0: nothing
    gradient_steps: int = 0  # ours, see model/gradient_steps.py
    counterparts: bool = False  # ours, see model/counterparts.py
    coverage: str = "skin"  # what Gaussians cover and how finely, see body/coverage.py
    reads: str = ""  # the profile whose people it reads, scaled down; "": its own
    parts: tuple[str, ...] = ()  # optional decoders, by their names in model/parts.py
    relight_steps: int = 20  # of the stage that learns light; weights of before tell of none
    loose_steps: int = 20  # of the stage that learns loose cloth
    face_steps: int = 20  # of the stage that learns facial features
    hanging_steps: int = 20  # of the stage that learns how cloth hangs

    def __post_init__(self):
        object.__setattr__(self, "parts", tuple(self.parts))  # a file's header has a list
        if not (self.dual_branch or self.driven_branch):
            raise ValueError("a model of one branch that is not driven has none: keep dual_branch or driven_branch")

    @property
    def canonical_alone(self) -> bool:
        """Whether training also looks at the canonical branch alone: where there are two branches."""
        return self.dual_branch and self.driven_branch

    @property
    def recording(self) -> dict[str, int]:
        """The sizes that decide what is recorded of a person."""
        pictures = ("body_px", "face_px", "hand_px", "phone_px", "samples_per_pixel")
        names = (*pictures, "wild_frames", "studio_poses", "studio_cameras")
        return {name: getattr(self, name) for name in names}


_ALL = (
    Profile(
        name="smoke", body_px=112, face_px=112, phone_px=224,
        dim=96, depth=2, heads=3, anchors=256, gaussians_per_anchor=4,
        wild_people=8, studio_people=4, test_people=2,
        wild_frames=6, studio_poses=2, studio_cameras=4, samples_per_pixel=4,
        inputs=4, batch_people=2, views=2, pretrain_steps=30, posttrain_steps=20,
    ),
    Profile(
        name="study", body_px=112, face_px=112,
        dim=96, depth=2, heads=3, anchors=512, gaussians_per_anchor=8, coverage="whole",
        face_rank=8, gradient_steps=3, counterparts=True,
        wild_people=160, studio_people=64, test_people=64,
        wild_frames=8, studio_poses=3, studio_cameras=6, samples_per_pixel=4,
        inputs=4, batch_people=4, views=2, pretrain_steps=450, posttrain_steps=150, relight_steps=200, loose_steps=200,
        face_steps=200, hanging_steps=400,
        reads="laptop",
    ),
    Profile(
        name="laptop", body_px=224, face_px=224, hand_px=112,
        dim=128, depth=3, heads=4, anchors=1024, gaussians_per_anchor=24, coverage="whole",
        chip_px=112, face_rank=8, gradient_steps=3, counterparts=True,
        wild_people=1500, studio_people=300, test_people=64,
        wild_frames=8, studio_poses=3, studio_cameras=6, samples_per_pixel=4,
        inputs=4, batch_people=4, views=4, pretrain_steps=7600, posttrain_steps=1200, relight_steps=1200,
        loose_steps=1200, face_steps=1200, hanging_steps=800,
    ),
    Profile(
        name="gpu", body_px=252, face_px=252, hand_px=112,
        dim=512, depth=8, heads=8, anchors=2048, gaussians_per_anchor=16,
        wild_people=2048, studio_people=128, test_people=64,
        wild_frames=12, studio_poses=6, studio_cameras=8, samples_per_pixel=16,
        inputs=4, batch_people=8, views=4, pretrain_steps=20_000, posttrain_steps=4000, relight_steps=4000,
        loose_steps=4000, face_steps=4000, hanging_steps=20_000,
    ),
    Profile(
        name="paper", body_px=1022, face_px=1022, hand_px=504,
        dim=1024, depth=8, heads=16, anchors=8192, gaussians_per_anchor=8,
        wild_people=1_000_000, studio_people=2737, test_people=64,
        wild_frames=64, studio_poses=64, studio_cameras=200, samples_per_pixel=64,
        inputs=8, batch_people=64, views=4, pretrain_steps=500_000, posttrain_steps=50_000, relight_steps=20_000,
        loose_steps=20_000, face_steps=20_000, hanging_steps=20_000,
    ),
)  # fmt: skip
PROFILES = {p.name: p for p in _ALL}


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
