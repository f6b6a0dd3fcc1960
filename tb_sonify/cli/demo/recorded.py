"""The five runs of the demo as they were trained once: packed into the package, and unpacked."""

import shutil
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_FILE = Path(__file__).with_name("recorded.zip")


def runs() -> list[str]:
    """Names of the recorded runs, in the order in which they were trained."""
    with ZipFile(_FILE) as packed:
        return list(dict.fromkeys(name.split("/")[0] for name in packed.namelist()))


def unpack(logdir: Path) -> None:
    """Write the recorded runs, a directory each, into `logdir`: all of them, or an `OSError`."""
    try:
        with ZipFile(_FILE) as packed:
            packed.extractall(logdir)
    except BaseException:
        for name in runs():
            shutil.rmtree(logdir / name, ignore_errors=True)
        raise


def pack(logdir: Path, names: list[str]) -> None:
    """Replace what the package holds by these runs, as small as they can be played.

    Without their clips, which are rendered when they are played, and under names that don't tell
    when, on which machine and in which process they were written.
    """
    with ZipFile(_FILE, "w") as packed:
        for name in names:
            for number, path in enumerate(sorted((logdir / name).glob("*.tfevents.*"))):
                info = ZipInfo(f"{name}/events.out.tfevents.{number:010}.recorded")
                info.external_attr = 0o644 << 16
                packed.writestr(info, _without_clips(path), ZIP_DEFLATED, 9)


def _without_clips(path: Path) -> bytes:
    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.record_writer import RecordWriter

    from tb_sonify.schema.metadata import clip_tag, split_session
    from tb_sonify.sound import PRESETS

    clips = {clip_tag(preset) for preset in PRESETS}
    kept = BytesIO()
    writer = RecordWriter(kept)
    for data in RawEventFileLoader(str(path)).Load():
        values = Event.FromString(data).summary.value
        if not any(split_session(value.tag)[0] in clips for value in values):
            writer.write(data)
    return kept.getvalue()


if __name__ == "__main__":  # after `tb-sonify demo --landscape --no-serve --logdir LOGDIR`
    from tb_sonify.cli.demo.training import SETTINGS

    pack(Path(sys.argv[1]), [setting.run for setting in SETTINGS])
