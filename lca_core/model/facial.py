"""Facial features: what a closed mouth and lowered lids hide, and how a face changes beside where its skin goes.

Photographs show mouths shut and eyes a few pixels wide. What lies in them is read from what covers them: teeth, tongue
and the hollow behind take the colour of lips, eyeballs that of lids, and a jaw that drops opens on a smear. So
eyeballs, teeth and tongue get numbers of their own, the same for everybody, and a share by which these take the place
of what was read; skin that the actions of mouth and eyes move, the hollow of the mouth among it, gets changes to what
was read, for skin is not the same for everybody. A decoder of the token says what else differs from person to person.
Driving adds directions of colour, position, rotation and scale, mixed by a small network of the named actions and the
gaze: the dark between lips, a lid's fold. It is learned from true actions of people in the studio with everything else
left as it is.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from lca_core.body import ACTIONS, Anchors, Driving
from lca_core.body.driving import GAZE
from lca_core.model.claims import Claim
from lca_core.model.part import Part
from lca_core.model.precision import full_precision
from lca_core.model.raw import CANONICAL, COLOR, DRIVEN, OPACITY, ROTATION, SCALE, from_driven

_HIDDEN, _MIXED = 64, 32
_RANK = 16  # directions of a Gaussian
_MOVED = 2e-3  # metres by which an action of mouth or eyes moves the skin that is one of its features
_OF_FEATURES = ("eye", "jaw", "mouth", "tongue")  # how names of those actions begin
_SKIN_BEHIND = 0.02  # metres: `Anchors.seen_behind` of what is under this lies in mouth or eyes (`coverage`)
_EYES_BEHIND = 0.008  # of what is over this, in eyes
_EYE, _MOUTH = (0.5, 0.47, 0.45), (0.5, 0.35, 0.33)  # colours to begin with
_REPLACED = 0.9  # share of own numbers to begin with
# Of a learned 1: colour, position, rotation, scale, opacity. Features are millimetres wide: what moves a colour to its
# opposite may move nothing by a centimetre.
_UNITS = (*3 * (1.0,), *3 * (0.03,), *4 * (0.1,), *3 * (0.2,), 0.5)
_SAID, _DIRECTION = 0.1, 0.2  # the same, of what is said of a person, and of a direction
_SMALL = 0.01  # weight of the penalty on what is said and how far directions go


class FacialFeatures(Part):
    """Tokens, actions and gaze to the numbers of a face's features."""

    claim = Claim("decoders", hidden=("signal.2",))
    stored = torch.float16

    def __init__(self, width: int, per_anchor: int):
        super().__init__(width, per_anchor)
        self.register_buffer("places", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("begun", torch.zeros(0, CANONICAL))  # numbers that those inside begin with
        self.register_buffer("units", torch.tensor(_UNITS), persistent=False)
        self.register_buffer("inside", torch.zeros(0, dtype=torch.bool))  # which of them lie in mouth and eyes
        self._size(0)
        self.read = nn.Linear(width, _HIDDEN)
        self.say = nn.Linear(_HIDDEN, per_anchor * CANONICAL)
        self.signal = nn.Sequential(
            nn.Linear(len(ACTIONS) + GAZE, _MIXED), nn.GELU(), nn.Linear(_MIXED, _MIXED), nn.GELU(),
            nn.Linear(_MIXED, _RANK),
        )  # fmt: skip
        nn.init.zeros_(self.say.weight)
        nn.init.zeros_(self.say.bias)
        self._brought = False
        self.register_load_state_dict_pre_hook(FacialFeatures._make_room)

    def _size(self, count: int) -> None:
        self.own = nn.Parameter(torch.zeros(count, CANONICAL))  # changes of what they begin with, or read
        self.share = nn.Parameter(torch.zeros(count, 2))  # of the own colour, of the other own numbers; not of the skin
        self.learned = nn.Parameter(torch.zeros(count, DRIVEN, _RANK))

    def lay(self, anchors: Anchors) -> None:
        """Choose the Gaussians and what they begin with; what a file brought stays."""
        if self._brought:
            return
        behind = anchors.seen_behind.flatten()
        inside, eyes = behind < _SKIN_BEHIND, (behind < _SKIN_BEHIND) & (behind > _EYES_BEHIND)
        chosen = inside | _moved(anchors)
        self.places = chosen.nonzero()[:, 0].to(self.say.weight.device)
        self._size(len(self.places))
        self.inside = inside[chosen].to(self.places.device)
        own = torch.zeros(len(behind), CANONICAL)
        own[:, COLOR] = torch.where(eyes[:, None], torch.tensor(_EYE), torch.tensor(_MOUTH)).logit()
        own[:, ROTATION.start] = 1.0
        own[:, SCALE] = (0.6 * anchors.spacing.flatten()[:, None]).log()
        own[:, SCALE.stop - 1] -= 1.0
        own[:, OPACITY] = 2.0
        self.begun = torch.where(inside[:, None], own, 0.0)[chosen].to(self.places.device)
        with torch.no_grad():
            self.share[self.inside] = _REPLACED
        self.to(self.say.weight.device)

    def finish(self, raw: Float[Tensor, "B G k 14"], tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B G k 14"]:
        """The numbers with those of the features: what lies in mouth and eyes in the place of what was read, as far as
        its shares say, and the skin changed."""
        if not len(self.places):
            return raw
        with full_precision(raw):
            said = self._said(tokens)
            flat = raw.flatten(1, 2)
            read = flat[:, self.places]
            within = self.share + (self.share.clamp(0, 1) - self.share).detach()  # at an end it keeps its gradient
            share = torch.cat([within[:, :1].expand(-1, 3), within[:, 1:].expand(-1, CANONICAL - 3)], -1)
            own = self.begun + self.units * self.own
            change = torch.where(self.inside[:, None], share * (own - read), own)
            return flat.index_copy(1, self.places, read + change + said).reshape(raw.shape)

    def _said(self, tokens: Float[Tensor, "B G D"]) -> Float[Tensor, "B M 14"]:
        anchors, which = (self.places // self.per_anchor).unique(return_inverse=True)
        said = self.say(F.gelu(self.read(tokens[:, anchors].float()))).unflatten(-1, (self.per_anchor, CANONICAL))
        return _SAID * self.units * said[:, which, self.places % self.per_anchor]

    def mixture(self, driving: Driving) -> Float[Tensor, "*F R"]:
        """How much of each direction a signal calls for; nothing at rest."""
        signal = torch.cat([driving.epsilon[..., : len(ACTIONS)], driving.gaze], -1).to(self.own)
        return self.signal(signal) - self.signal(torch.zeros_like(signal))

    def numbers(
        self, raw: Float[Tensor, "*#F G k 14"], tokens: Float[Tensor, "*#F G D"], driving: Driving
    ) -> Float[Tensor, "*#F G k 14"]:
        """The numbers with what actions and gaze change of the features."""
        if not len(self.places):
            return raw
        with full_precision(raw):
            directions = _DIRECTION * self.units[:DRIVEN, None] * self.learned
            changes = torch.einsum("mcr,...r->...mc", directions, self.mixture(driving))
            changed = raw.flatten(-3, -2).index_add(-2, self.places, from_driven(changes).to(raw))
            return changed.unflatten(-2, raw.shape[-3:-1])

    def losses(self, posed, batch) -> dict[str, Tensor]:
        """How much is said of single people, and how far the directions go."""
        if not len(self.places):
            return {}
        size = self._said(posed.tokens).square().mean() + (_DIRECTION * self.learned).square().mean()
        return {"small": _SMALL * size}

    def check(self, anchors: int) -> None:
        """RuntimeError where numbers name Gaussians that are not there, among so many anchors."""
        places, most = self.places, anchors * self.per_anchor  # loading has held all else to be as many as these
        if len(places) and not (int(places.min()) >= 0 and int(places.max()) < most):
            raise RuntimeError(f"numbers of facial features are no numbers below {most}")

    def _make_room(self, tensors: dict[str, Tensor], prefix: str, *_) -> None:
        """Before loading: as many Gaussians as the file has."""
        if (places := tensors.get(prefix + "places")) is not None and places.ndim == 1:
            device = self.say.weight.device
            self.places = torch.zeros(len(places), dtype=torch.int64, device=device)
            self.inside = torch.zeros(len(places), dtype=torch.bool, device=device)
            self.begun = torch.zeros(len(places), CANONICAL, device=device)
            self._size(len(places))
            self.to(device)
            self._brought = True


def _moved(anchors: Anchors) -> Bool[Tensor, " N"]:
    """Which Gaussians an action of mouth or eyes moves noticeably; none on a body without the 52."""
    directions = anchors.exprdirs.flatten(0, 1)
    if directions.shape[-1] != len(ACTIONS):
        return torch.zeros(len(directions), dtype=torch.bool, device=directions.device)
    actions = [number for number, name in enumerate(ACTIONS) if name.startswith(_OF_FEATURES)]
    return (directions[..., actions].norm(dim=1) > _MOVED).any(-1)
