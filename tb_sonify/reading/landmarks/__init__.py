"""Landmarks: what to jump to in a run, from its notes alone."""

from tb_sonify.reading.landmarks.landmark import KINDS, Landmark
from tb_sonify.reading.landmarks.search import find_landmarks

__all__ = ["KINDS", "Landmark", "find_landmarks"]
