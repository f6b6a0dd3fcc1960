"""What the heard lanes of a tab show."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.dashboard import WAIT_MS, Dashboard

DRAWN = """lane => {
    const drawn = lane.querySelector("canvas").drawn;
    const { heard, bands, edges, width } = drawn.picture;
    return {boxes: drawn.boxes, glyphs: drawn.glyphs, bands, edges: [...edges], width,
        columns: heard.columns, notesPerColumn: heard.notesPerColumn, streams: heard.streams,
        mean: [...heard.mean], earcons: [...heard.earcons], names: heard.names};
}"""
# The middle of what is painted over the ground around a place, in CSS pixels from the top.
PAINTED = """(canvas, [x, top, bottom]) => {
    const scale = canvas.height / canvas.clientHeight;
    const { data } = canvas.getContext("2d").getImageData(
        Math.round(x * scale), Math.round(top * scale), 1, Math.round((bottom - top) * scale));
    let [sum, weight] = [0, 0];
    for (let row = 0; row < data.length / 4; row++) {
        sum += (row + 0.5) * data[4 * row + 3];
        weight += data[4 * row + 3];
    }
    return top + sum / weight / scale;
}"""


def drawn(tab: Dashboard, side: int) -> dict[str, Any]:
    """What the lane of a side is drawn from, and which glyphs were drawn; waits for it."""
    ready = f"document.querySelectorAll('.heard-lane canvas')[{side}]?.drawn !== undefined"
    tab.frame.wait_for_function(ready, timeout=WAIT_MS)
    tab.rest()
    found: dict[str, Any] = tab.frame.locator(".heard-lane").nth(side).evaluate(DRAWN)
    return found


def glyphs(tab: Dashboard, side: int) -> list[dict[str, Any]]:
    """Name, stream and pixel of each earcon in the lane of a side."""
    return list(drawn(tab, side)["glyphs"])


def pitches(picture: dict[str, Any]) -> NDArray[np.float64]:
    """Pitch in Hz that a lane is drawn from, NaN where silent, shape ``(columns, streams)``."""
    table = np.array([np.nan if hz is None else hz for hz in picture["mean"]], float)
    return table.reshape(picture["columns"], -1)


def painted_hz(
    tab: Dashboard, side: int, picture: dict[str, Any], column: int, stream: int
) -> float:
    """The pitch at which the line of a stream is painted in the middle of a column."""
    band, of = picture["bands"][stream], picture["streams"][stream]
    x = (picture["edges"][column] + picture["edges"][column + 1]) / 2
    canvas = tab.frame.locator(".heard-lane canvas").nth(side)
    reach = [band["middle"] - band["half"] - 3, band["middle"] + band["half"] + 3]
    y = canvas.evaluate(PAINTED, [x, *reach])
    return float(of["hzAt1"] * 2 ** ((band["middle"] - y) / band["perSemitone"] / 12))
