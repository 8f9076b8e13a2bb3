"""What defines a training run besides the profile and the data."""

from dataclasses import asdict, dataclass

from lca_core.training.precision import Precision


@dataclass(frozen=True)
class Settings:
    """What defines a run besides the profile and the data."""

    stage: str
    steps: int
    lr: float
    gamma: float = 1.0  # layer-wise decay
    seed: int = 0
    warmup: int = 50
    template_steps: int = 0  # first fit the template alone (pretraining)
    regularizer: float = 1.0  # lambda of L_reg
    body_weight: float = 1.0
    face_weight: float = 0.5
    hand_weight: float = 0.25
    lpips_weight: float = 0.1
    single: float = 1 / 3  # share of batches that show one photograph of each person, the commonest input
    placed: float = 0.8  # share of people whose photographs' poses the model is told
    looked: float = 0.5  # share of batches in which a model that can look again does (`Shown`)
    lpips_views: int = 1  # pictures of a kind that LPIPS (and the identity loss) looks at in a step
    identity_weight: float = 0.0  # of the distance to a face recogniser; what it then says of the avatars proves little
    precision: Precision = "auto"  # of the network; auto: the quicker one here, found by timing a step of each
    muon: bool = True  # for the hidden matrices (`MuonAndAdamW`); never where processes share the parameters
    accumulate: int = 1  # batches a step
    ema: float = 0.0  # of the weights, per step; what is written are the averages. 0: none
    part: str = ""  # what alone is trained: an optional decoder (of model/parts.py), or a module; "": everything

    def facts(self) -> dict:
        """All of them by name, for a run's files; without names that are not given, which runs of before had not."""
        return {name: value for name, value in asdict(self).items() if value != ""}

    @property
    def autocast(self) -> bool:
        """Whether the network computes in bfloat16; with "auto", nothing being chosen yet, it does not."""
        return self.precision == "bfloat16"
