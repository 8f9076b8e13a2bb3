"""How far a number may be when it is measured again on another machine."""

from dataclasses import dataclass

# Of one person rendered and evaluated on another machine. With LLVM the numbers come back to the fourth digit; without
# it mitsuba scatters its light paths otherwise, and none of 16 was off by more than about half of this.
TOLERANCE = {
    "psnr": 0.2, "psnr_fg": 0.2, "psnr_masked": 0.2, "ssim": 0.01, "l1_fg": 0.004, "lpips": 0.02, "iou": 0.01,
    "identity_distance": 0.1,
}  # fmt: skip
WHY = "without LLVM mitsuba scatters its light paths otherwise"
WHY_FITTED = f"{WHY}, and optimisation on one person amplifies last bits"
_FITTED = 3.0  # times as much for what is optimised on one person, which amplifies last bits
_OPTIMISED = ("refined/", "baseline/per_person/")
_LEAST = 0.25  # of it for the mean of many


@dataclass(frozen=True)
class Tolerance:
    """How far the same number may be when it is measured again on another machine, and why.

    within: of live and frozen records, the largest difference, in the record's unit, of the mean over all its people;
    of timings, the largest factor between the two ratios to the yardstick.
    """

    within: float
    why: str


# Two processors differ in what they are good at: one without AVX-512 draws slower and multiplies slower, not alike.
TIMING = Tolerance(2.0, "a factor between both ratios to the yardstick: processors are not good at the same things")


def tolerance_of(id: str, people: int) -> float:
    """How far a record, "<method>/<domain>/<metric>", may be from the mean of so many people on another machine.

    KeyError for a metric that is not in `TOLERANCE`.
    """
    return TOLERANCE[id.split("/")[-1]] * (_FITTED if id.startswith(_OPTIMISED) else 1.0) * _share(people)


def usual_tolerance(id: str, people: int) -> Tolerance | None:
    """The tolerance of a record whose id's last part is a metric of `TOLERANCE`, else None."""
    if id.split("/")[-1] not in TOLERANCE:
        return None
    return Tolerance(tolerance_of(id, people), WHY_FITTED if id.startswith(_OPTIMISED) else WHY)


def within_of_some(tolerance: Tolerance, people: int, some: int) -> float:
    """How far the mean over `some` of a record's `people` may be: fewer of them may be farther off."""
    return tolerance.within * _share(some) / _share(people)


def _share(people: int) -> float:
    return max(_LEAST, people**-0.5)
