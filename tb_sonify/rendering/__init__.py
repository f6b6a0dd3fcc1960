"""Sound without a browser: a run or a table of numbers to an audio file."""

from tb_sonify.rendering.sound import Sound, render

__all__ = ["Sound", "render"]
