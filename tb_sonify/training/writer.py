"""The writer: a `SummaryWriter` that also logs gradient norms, and how they sound."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, SupportsFloat
from weakref import ref

from tensorboard.compat import tf
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from torch import nn
from torch.optim import Optimizer
from torch.utils.tensorboard import FileWriter, SummaryWriter, writer

from tb_sonify.schema.landscape import Strip, Surface
from tb_sonify.schema.quantities import MEASURED, check_quantity
from tb_sonify.sound import StreamPreset
from tb_sonify.sound.presets import resolve_presets
from tb_sonify.training.event_writer import EventFileWriter, EventSink, NullSink
from tb_sonify.training.grad_norms import MeasuredLayers, ModelLayers, row_of, step_of
from tb_sonify.training.layers import Granularity, NoLayersError, Patterns
from tb_sonify.training.recorder import Alarms, OnLandmark
from tb_sonify.training.row_buffer import WriterResources
from tb_sonify.training.run_log import RowSchema
from tb_sonify.training.sharding import rank
from tb_sonify.training.step_row import StripSource
from tb_sonify.training.summary import surface_event
from tb_sonify.training.update_norms import Updates
from tb_sonify.training.warn import WarnOnce, warn
from tb_sonify.training.watch import Watch, WatchHandle, WatchSet


class SonifyWriter(SummaryWriter):
    """A `torch.utils.tensorboard.SummaryWriter`, with the same arguments, that can be heard.

    Parameters
    ----------
    presets
        Presets of which clips are logged for TensorBoard's Audio tab: by name, or a
        `StreamPreset` of your own, under a name of its own. The Sonify tab plays every preset,
        logged or not, and those that are in here. Every hundred notes are a clip at first; as the
        Audio tab shows ten, a long run logs ever fewer, and the last one.
    scalar_every
        Log the norms as scalars every so many rows. By default the first 1,000 rows, and then 250
        while a run doubles: as TensorBoard shows 1,000. The Sonify tab has every row in any case.
    on_landmark
        Called with each `tb_sonify.landmarks.Landmark` that is found in gradients, updates and
        losses (docs/warnings.md) while training goes on, in a thread of its own; within a second
        or 64 rows, whichever is first. A script can so stop itself.

    Examples
    --------
    ::

        writer = SonifyWriter("runs/sgd-0.1")
        writer.watch(model, optimizer)  # from here on, every optimizer.step() is one row
        ...
        writer.close()
    """

    sonify_owner = "script"  # or "run": `tb-sonify run` does not import this class

    # The base class's, which has no types; both None after `close`.
    file_writer: Any
    all_writers: Any

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        *,
        presets: Sequence[str | StreamPreset] = ("smooth",),
        scalar_every: int | None = None,
        on_landmark: OnLandmark | None = None,
    ) -> None:
        chosen = resolve_presets(presets)
        if on_landmark is not None and not callable(on_landmark):
            raise TypeError(f"on_landmark must be callable, got {on_landmark!r}")
        self._alarms = None if on_landmark is None else Alarms(on_landmark)
        if scalar_every is not None and scalar_every < 1:
            raise ValueError(f"scalar_every must be at least 1, got {scalar_every!r}")
        self._models = ModelLayers()
        self._named: dict[str, RowSchema] = {}  # of `add_norms`
        self._watches = WatchSet()
        self._writes = rank() == 0
        self._warn = WarnOnce()
        self._files: list[EventSink] = []
        super().__init__(log_dir, comment, purge_step, max_queue, flush_secs, filename_suffix)
        self._resources = WriterResources(
            self,
            self._files,
            session=time.time(),
            presets=chosen,
            scalar_every=scalar_every,
            alarms=self._alarms,
        )

    def watch(
        self,
        model: nn.Module,
        optimizer: Optimizer | None = None,
        *,
        norm_type: float = 2.0,
        include: Patterns = None,
        exclude: Patterns = None,
        granularity: Granularity = "layer",
        every: int = 1,
        first_step: int = 0,
        step: Callable[[], int] | None = None,
        prefix: str | None = None,
        updates: Updates = True,
        landscape: StripSource | None = None,
    ) -> Watch:
        """Log norms of each layer whenever the optimizer steps: gradient, update and weights.

        Several models can be watched at once, as can parts of one: their rows share the steps. What
        is watched again, for the same optimizer and norm, is watched once: the earlier watch ends.
        A model is not kept alive.

        Parameters
        ----------
        optimizer
            `None`: every optimizer that holds a parameter of the model, also one made later.
        norm_type
            p of the p-norm, above 0; may be infinite.
        include, exclude
            Glob patterns on the names of layers, one or several: log those that match, leave out
            those that match.
        granularity
            ``"layer"``: weights and biases of a submodule together; ``"parameter"``: each
            parameter on its own.
        every
            Log every so many steps.
        first_step
            The n-th ``optimizer.step()`` from here on, counted from 0, is step ``first_step + n``.
            What is watched beside another model goes on with that one's steps. Optimizers of
            different parameters that step in turn, as those of a generator and a critic, share a
            step; one that a `GradScaler` leaves out counts, but is no row.
        step
            In place of `first_step`: called without arguments when a step begins, it gives the
            number of the row, so that norms have the steps of a loss that is not logged by
            optimizer steps: environment steps, tokens, samples. Where it gives the same again, the
            numbers after it are used in turn; a smaller one is a restart. If it fails, there is one
            warning, and steps are counted on. Given to several watches, the last counts.
        prefix
            Put before the names of layers, with a dot; ``""``: nothing. By default nothing, or the
            name of the model's class where a name is that of another layer that is watched.
        updates
            Measure also what each step changes: the norm of the update of each layer and, at every
            16th step, that of its weights. Of a tensor of more than 32,768 values, 4,096 are
            compared: the norm of its update is then an estimate (see docs/rows.md). ``"exact"``:
            all values are compared, which takes as much memory as the model; so it is where
            `norm_type` is infinite. `False`: gradients alone.
        landscape
            A `tb_sonify.landscape.Landscape`: measure the loss along every so many steps, and log
            how much larger each could have been as the scalar ``landscape/headroom``. In
            distributed training, every process evaluates the loss, with its own batch.

        Returns
        -------
        handle
            Its `remove` ends it, as does a ``with`` block. Where there is nothing to watch, there
            is a warning, and it is not `active`.
        """
        if landscape is not None and not callable(getattr(landscape, "begin", None)):
            raise TypeError(f"landscape must be a tb_sonify.landscape.Landscape, got {landscape!r}")
        if not self._is_open():
            return Watch()
        which: dict[str, Any] = {"include": include, "exclude": exclude, "granularity": granularity}
        find = _WeakFind(model, partial(self._models.find, norm_type=norm_type, **which))
        try:
            if self._writes and rank() != 0 and find(prefix="").norms.shards is None:
                self._warn_once(
                    f"rank 0 alone logs norms, this is rank {rank()}: make a writer after "
                    f"init_process_group, or it writes a file of its own here"
                )
                return Watch()
            watch = self._watches.add(
                model,
                find,
                self._resources,
                prefix=prefix,
                first_step=step_of(first_step, name="first_step"),
                step=step,
                optimizer=optimizer,
                every=every,
                updates=updates,
                landscape=landscape,
                keep_alive=self,
            )
        except NoLayersError as error:
            self._warn_once(f"nothing is watched: {error}")
            return Watch()
        return WatchHandle(watch)

    def add_gradient_norms(
        self,
        model: nn.Module,
        global_step: int,
        *,
        norm_type: float = 2.0,
        include: Patterns = None,
        exclude: Patterns = None,
        granularity: Granularity = "layer",
        prefix: str = "",
    ) -> None:
        """Log the gradient norm of each layer as it is now, after ``backward()``, as one row.

        The arguments are those of `watch`.
        """
        step = step_of(global_step)
        which: dict[str, Any] = {"include": include, "exclude": exclude, "granularity": granularity}
        try:
            measured = self._models.find(model, norm_type=norm_type, prefix=prefix, **which)
        except NoLayersError as error:
            self._warn_once(f"nothing is logged: {error}")
            return
        if self._is_open() and self._resources.takes(measured.norms):
            schema, row = measured.row(measured.norms.measure())
            self._resources.buffer.add(schema, step, row)

    def add_norms(
        self,
        norms: Mapping[str, SupportsFloat | None],
        global_step: int,
        quantity: Literal["gradient", "update", "weight"] = "gradient",
    ) -> None:
        """Log one number per layer as a row; at least 0, NaN or infinite, `None`: there is none.

        Consecutive calls of one step make up one row, in which the last norm of a layer holds.

        Parameters
        ----------
        quantity
            What was measured; one row has all quantities of a step. Norms of updates and weights
            give their ratio. Weights may come at a few steps alone: the last norm holds.
        """
        layers, row = row_of(norms)
        step = step_of(global_step)
        check_quantity(quantity, MEASURED)
        named = self._named.get(quantity)
        if named is None or named.layers != layers:
            named = self._named[quantity] = RowSchema(layers, quantities=(quantity,))
        if self._is_open() and self._writes:
            self._resources.buffer.add(named, step, row)

    def add_landscape_strip(self, strip: Strip | None, global_step: int) -> None:
        """Log the loss along a step of the optimizer, without `watch`, and its headroom.

        Parameters
        ----------
        strip
            What `tb_sonify.landscape.Landscape.begin` measures; `None`: nothing moved.
        """
        step = step_of(global_step)
        if strip is not None and self._is_open() and self._writes:
            self._resources.strips.add(strip, step)

    def add_landscape(self, surface: Surface, global_step: int = 0, name: str = "surface") -> None:
        """Store the loss over a plane, of `tb_sonify.landscape.surface`, under a name of its own.

        Parameters
        ----------
        global_step
            That of the weights at the origin.
        """
        step = step_of(global_step)
        if self._is_open() and self._writes:
            self._get_file_writer()
            self._files[0].add_event(surface_event(name, surface, step=step))

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        *args: Any,
        **options: Any,
    ) -> None:
        """As the base class; a loss is also judged, where landmarks are told."""
        super().add_scalar(tag, scalar_value, global_step, *args, **options)
        if self._alarms is not None and self._writes:
            self._alarms.add_loss(tag, global_step, scalar_value)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """As the base class: each value in a run of its own, under this one."""
        logdir = self._get_file_writer().get_logdir()
        for tag in tag_scalar_dict:
            run = logdir + "/" + main_tag.replace("/", "_") + "_" + tag
            if run not in self.all_writers:
                self.all_writers[run] = self._new_file_writer(run)
        super().add_scalars(main_tag, tag_scalar_dict, global_step, walltime)

    def add_hparams(self, *args: Any, **kwargs: Any) -> None:
        """As the base class, which writes them with a writer of its own."""
        if self._writes:
            super().add_hparams(*args, **kwargs)

    def flush(self) -> None:
        """Wait until everything logged so far, clips included, is written.

        The row of a step in which an optimizer or a layer is still to come is written when it is
        complete, at the next step, or by `close`; the very first row is taken as complete.
        """
        self._resources.flush()
        super().flush()

    def close(self) -> None:
        """Stop watching, write all there is and close the event file; can be called again."""
        self._watches.remove()
        self._resources.close()
        super().close()

    def _is_open(self) -> bool:
        if self._resources.closed:
            self._warn_once("norms are left out: they need an open writer, and this one is closed")
        return not self._resources.closed

    def _warn_once(self, message: str) -> None:
        self._warn(message, key=message)

    def _get_file_writer(self) -> FileWriter:
        # The base class calls this for every event, and forgets the writers in `close`.
        if self.file_writer is None or self.all_writers is None:
            self.file_writer = file_writer = self._new_file_writer(str(self.log_dir))
            self.all_writers = {file_writer.get_logdir(): file_writer}
            if self.purge_step is not None:
                step, self.purge_step = self.purge_step, None
                start = SessionLog(status=SessionLog.START)
                file_writer.add_event(Event(step=step, file_version="brain.Event:2"))
                # TensorBoard's slow loader takes the first of a run for its beginning.
                for _ in range(2):
                    file_writer.add_event(Event(step=step, session_log=start))
        return self.file_writer

    def _new_file_writer(self, logdir: str) -> FileWriter:
        if not self._writes:
            return _SinkFileWriter(NullSink(logdir))
        events = self._new_sink(logdir)
        self._files.append(events)
        return _SinkFileWriter(events)

    def _new_sink(self, logdir: str) -> EventSink:
        events = EventFileWriter(
            logdir, flush_secs=self.flush_secs, filename_suffix=self.filename_suffix
        )
        _announce(logdir, self.max_queue, self.flush_secs, self.filename_suffix)
        return events


class _WeakFind:
    """Finds the layers of a model, which may be garbage meanwhile: then they are as they were."""

    def __init__(self, model: nn.Module, find: Callable[..., MeasuredLayers]) -> None:
        self._model = ref(model) if isinstance(model, nn.Module) else lambda: model
        self._find = find
        self._found: dict[str, MeasuredLayers] = {}

    def __call__(self, *, prefix: str) -> MeasuredLayers:
        model = self._model()
        if model is not None:
            self._found[prefix] = self._find(model, prefix=prefix)
        return self._found[prefix]


class RedirectedWriter(SonifyWriter):
    """A `SonifyWriter` whose events go to another sink than an event file of its own.

    Parameters
    ----------
    make_sink
        Makes the sink; called only where this process writes.
    """

    def __init__(
        self,
        make_sink: Callable[[], EventSink],
        *,
        presets: Sequence[str | StreamPreset] = ("smooth",),
    ) -> None:
        self._make_sink = make_sink
        super().__init__("elsewhere", presets=presets)

    def _new_sink(self, _: str) -> EventSink:
        return self._make_sink()


def _announce(logdir: str, *options: Any) -> None:
    """Have those that patched TensorBoard's `EventFileWriter`, as W&B does, hear of a directory.

    No file is made: it would be with the first event.
    """
    patched = vars(writer)["EventFileWriter"]
    unwritten = {"add_event": lambda *_: None, "flush": lambda _: None}
    try:
        type(patched.__name__, (patched,), unwritten)(logdir, *options).close()
    except Exception as error:  # noqa: BLE001 - whatever the patch is
        if not tf.io.gfile.isdir(logdir):
            return  # as the event file has said already
        warn(f"a patch of TensorBoard's writer failed: {type(error).__name__}: {error}")


class _SinkFileWriter(FileWriter):
    """Torch's `FileWriter` over any event sink."""

    def __init__(self, events: EventSink) -> None:
        # Not that of the base class, which opens an event file of TensorBoard's.
        self.event_writer = events
