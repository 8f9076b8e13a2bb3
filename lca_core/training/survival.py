"""What stops a run before it spoils its weights."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor

from lca_core.training.team import whole


@contextmanager
def finite(where: str, remedy: str) -> Iterator[None]:
    """FloatingPointError that says where, in place of the ValueError of a drawing that was given NaN or infinities."""
    try:
        yield
    except ValueError as error:
        if "NaN or infinite" not in str(error):
            raise
        raise FloatingPointError(f"not finite at {where}: {error}; {remedy}") from error


def check_finite(where: str, terms: Mapping[str, float], gradients: Mapping[str, Tensor], remedy: str) -> None:
    """FloatingPointError that names the loss terms, and the parameters with gradients, that are not finite, if any."""
    bad = [f"the loss term {name}" for name, value in terms.items() if not math.isfinite(value)]
    bad += [f"the gradient of {name}" for name, gradient in gradients.items() if not whole(gradient).isfinite().all()]
    if bad:
        more = f" and {len(bad) - 5:,} more" if len(bad) > 5 else ""
        raise FloatingPointError(f"not finite at {where}: {', '.join(bad[:5])}{more}; {remedy}")
