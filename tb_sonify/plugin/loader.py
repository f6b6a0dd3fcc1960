"""TensorBoard's entry point.

TensorBoard imports this module without a guard: whatever it raises would end TensorBoard itself.
So it imports no more than TensorBoard has imported anyway; `load` is guarded, and the plugin is
imported there.
"""

from argparse import ArgumentParser, Namespace

from tensorboard.plugins.base_plugin import TBContext, TBLoader, TBPlugin

from tb_sonify.schema.metadata import PLUGIN_NAME


class SonifyLoader(TBLoader):
    """Makes the plugin, and has TensorBoard keep all of its data."""

    def define_flags(self, parser: ArgumentParser) -> None:
        """Which scalars are norms, or pairs of losses, beside those known by their names."""
        group = parser.add_argument_group("sonify plugin")
        group.add_argument(
            "--sonify_norms",
            metavar="GLOB,...",
            default="",
            help="Scalars that are to be heard as the gradient norms of layers, where a run has no "
            "rows of tb_sonify: tags with * for the layer, as 'train/norms/*'. Usual names, as "
            "'grad_norm/*' or 'gradients/*', are known without it.",
        )
        group.add_argument(
            "--sonify_pairs",
            metavar="TRAINING:VALIDATION,...",
            default="",
            help="Losses of training and validation that belong together, as 'err/a:err/b', to be "
            "told where they overfit. Usual names, as 'train/loss' and 'val/loss', are known "
            "without it.",
        )

    def fix_flags(self, flags: Namespace) -> None:
        """Keep every block (0: no limit), unless the user has set a limit for this plugin.

        And read all event files of a run that grow, not the newest alone: several writers may
        log to one run.
        """
        flags.reload_multifile = True
        limits = getattr(flags, "samples_per_plugin", None)
        if isinstance(limits, dict):
            limits.setdefault(PLUGIN_NAME, 0)

    def load(self, context: TBContext) -> TBPlugin | None:
        """The plugin; `None` where TensorBoard has no data provider."""
        if context.data_provider is None:
            return None
        from tb_sonify.plugin.plugin import SonifyPlugin

        return SonifyPlugin(context)
