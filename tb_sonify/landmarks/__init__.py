"""Landmarks: what to jump to in a run, from its notes alone."""

from tb_sonify.landmarks.find import find_landmarks
from tb_sonify.landmarks.landmark import KINDS, Finding, Landmark

__all__ = ["KINDS", "Finding", "Landmark", "find_landmarks"]
