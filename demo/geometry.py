"""Where a point of a head lands in a picture: pose, projection, outline.

A head is an ellipsoid with features on its surface, seen without perspective. Its
silhouette stays put under yaw while the features move over it, as on a real head.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from demo.identity import Identity

Points = NDArray[np.float64]

HEAD_DEPTH = 0.95
OUTLINE_POINT_COUNT = 40


@dataclass(frozen=True)
class Pose:
    """Radians. Yaw turns towards the picture's right, pitch downwards."""

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class Placement:
    """Where the centre of a head is and how many pixels one head unit takes."""

    x: float
    y: float
    unit_px: float


class HeadFrame:
    """Projects points of one posed head into pixels."""

    def __init__(self, identity: Identity, pose: Pose, placement: Placement) -> None:
        self.identity = identity
        self.pose = pose
        self.unit_px = placement.unit_px
        self._centre = np.array([placement.x, placement.y])
        roll_cos, roll_sin = np.cos(pose.roll), np.sin(pose.roll)
        self._roll = placement.unit_px * np.array(
            [[roll_cos, roll_sin], [-roll_sin, roll_cos]]
        )
        self._yaw_cos, self._yaw_sin = np.cos(pose.yaw), np.sin(pose.yaw)
        self._pitch_cos, self._pitch_sin = np.cos(pose.pitch), np.sin(pose.pitch)

    def flat(self, points: Points) -> Points:
        """Return pixels of points that follow roll only: the silhouette, hair."""
        pixels: Points = points @ self._roll + self._centre
        return pixels

    def on_face(self, points: Points, *, lift: float = 0.0) -> Points:
        """Return pixels of points on the surface, `lift` head units above it."""
        u, v = points[:, 0], points[:, 1]
        height = self.identity.head_half_height
        z = HEAD_DEPTH * np.sqrt(np.maximum(0.02, 1 - u * u - (v / height) ** 2))
        return self.in_space(u, v, z + lift)

    def in_space(self, u: Points, v: Points, z: Points) -> Points:
        x = u * self._yaw_cos + z * self._yaw_sin
        depth = z * self._yaw_cos - u * self._yaw_sin
        y = v * self._pitch_cos + depth * self._pitch_sin
        return self.flat(np.stack([x, y], axis=1))

    @cached_property
    def outline(self) -> Points:
        """The silhouette without hair in head units, clockwise from the right ear."""
        identity = self.identity
        angles = np.linspace(0, 2 * np.pi, OUTLINE_POINT_COUNT, endpoint=False)
        cosine, sine = np.cos(angles), np.sin(angles)
        below = np.maximum(0.0, sine)
        roundness = 2.0 / (2.0 + identity.jaw_squareness * 1.6 * below)
        u = np.sign(cosine) * np.abs(cosine) ** roundness
        v = np.sign(sine) * np.abs(sine) ** roundness
        u = u * (1 - identity.jaw_taper * below**1.5)
        return np.stack([u, v * identity.head_half_height], axis=1)
