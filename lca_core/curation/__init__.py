"""Real photographs and clips to the records the model reads: decode, detect, matte, crop, judge."""

from lca_core.curation.clips import CuratedClip, CuratedFrame, curate_clip, curate_frame, find_shots
from lca_core.curation.crops import Square, body_square, cut, face_square
from lca_core.curation.decode import Clip, read_clip, read_photo
from lca_core.curation.detect import Sighting, find_people, only_person
from lca_core.curation.filters import FrameMeasures, Limits, Verdict, judge_clip, judge_frame
from lca_core.curation.frames import frame_of, view_of
from lca_core.curation.matte import person_matte
from lca_core.curation.photos import prepare_photos
from lca_core.curation.samples import real_clips, real_photos

__all__ = [
    "Clip", "CuratedClip", "CuratedFrame", "FrameMeasures", "Limits", "Sighting", "Square", "Verdict", "body_square",
    "curate_clip", "curate_frame", "cut", "face_square", "find_people", "find_shots", "frame_of", "judge_clip",
    "judge_frame", "only_person", "person_matte", "prepare_photos", "read_clip", "read_photo", "real_clips",
    "real_photos", "view_of",
]  # fmt: skip
