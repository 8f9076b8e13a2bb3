"""torchvision beside a CPU torch: its wheel is built for CUDA, and its import dies of two operators that are not there.

transformers and torchmetrics' LPIPS import it.
"""

import functools

import torch


@functools.cache
def make_torchvision_importable() -> torch.library.Library | None:
    """Declare torchvision's missing operators where its import fails without them.

    The declaration is returned, and kept for as long as the process runs; None where torchvision has its own.
    """
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return library
    return None
