"""How much of a face there is to recognize: one number, to choose the best crop by."""

import math

from recognition.numeric.boxes import FaceBox

# The side of an aligned crop. A face as large loses nothing more when it is looked at
# closer; a smaller one is enlarged, and what is not there does not come back.
FULL_DETAIL_PX = 112


def face_quality(box: FaceBox, confidence: float) -> float:
    """Return 0…1: the detector's confidence, less by the share of missing detail.

    Detail is the shorter side of the box over that of an aligned crop, at most 1.
    """
    if math.isnan(confidence):
        return 0.0
    detail = max(min(box.width, box.height), 0) / FULL_DETAIL_PX
    return min(detail, 1.0) * min(max(confidence, 0.0), 1.0)
