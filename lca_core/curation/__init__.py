"""Real photographs and clips to the records the model reads: decode, detect, matte, judge, fit, crop, group."""

from lca_core.curation.crops import Square, body_square, cut, face_square
from lca_core.curation.decode import Clip, read_clip, read_photo
from lca_core.curation.detect import Sighting, find_people, only_person
from lca_core.curation.filters import FrameMeasures, Limits, Reason, Verdict, judge_clip, judge_frame
from lca_core.curation.fit import Fit, fit_body
from lca_core.curation.frames import frame_of, view_of
from lca_core.curation.matte import person_matte
from lca_core.curation.neuman import read_neuman
from lca_core.curation.photos import prepare_photos
from lca_core.curation.samples import real_clips, real_photos
from lca_core.curation.stages import (
    STAGES,
    CuratedClip,
    CuratedFrame,
    Settings,
    curate_clip,
    curate_picture,
    find_shots,
)
from lca_core.curation.xhumans import read_xhumans

__all__ = [
    "STAGES", "Clip", "CuratedClip", "CuratedFrame", "Fit", "FrameMeasures", "Limits", "Reason", "Settings", "Sighting",
    "Square", "Verdict", "body_square", "curate_clip", "curate_picture", "cut", "face_square", "find_people",
    "find_shots", "fit_body", "frame_of", "judge_clip", "judge_frame", "only_person", "person_matte", "prepare_photos",
    "read_clip", "read_neuman", "read_photo", "read_xhumans", "real_clips", "real_photos", "view_of",
]  # fmt: skip
