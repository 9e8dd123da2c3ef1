"""Names for the arrays that pass between the parts of recognition."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

# uint8, height x width x 3, RGB. Possibly read-only: draw on a copy.
RgbImage: TypeAlias = NDArray[np.uint8]

# uint8, faces x 112 x 112 x 3, RGB: what alignment yields, stacked.
AlignedCrops: TypeAlias = NDArray[np.uint8]

# 5 x 2 (x, y) in pixels: left eye, right eye, nose, left and right mouth corner,
# left and right as they stand in the picture.
Landmarks: TypeAlias = NDArray[np.floating]

# float32, inputs x side x side x 3, RGB.
NetworkInput: TypeAlias = NDArray[np.float32]

# float32, faces x 512, as the network gave them: not normalised.
Embeddings: TypeAlias = NDArray[np.float32]
