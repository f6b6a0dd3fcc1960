"""The plugin of TensorBoard: its tab, and its routes."""

import logging
from typing import TYPE_CHECKING

from tensorboard.context import RequestContext
from tensorboard.plugins.base_plugin import FrontendMetadata, TBContext, TBPlugin
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS
from werkzeug.wrappers import Request

from tb_sonify.plugin.data_server import watched_provider
from tb_sonify.plugin.responses import read_only
from tb_sonify.plugin.run_routes import RunRoutes
from tb_sonify.reading.store import Settings, Store
from tb_sonify.schema.metadata import PLUGIN_NAME
from tb_sonify.schema.pairs import Pair, parse_pairs

if TYPE_CHECKING:
    from argparse import Namespace

    from _typeshed.wsgi import WSGIApplication

_logger = logging.getLogger(__name__)
_POINTS_KEPT = 1_000  # of a scalar, unless TensorBoard is told otherwise


class SonifyPlugin(TBPlugin):
    """Hear a neural network train."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: TBContext) -> None:
        self._provider = watched_provider(context)
        self._routes = RunRoutes(Store(self._provider, _settings(context.flags)))

    def get_plugin_apps(self) -> "dict[str, WSGIApplication]":
        """Each route of `docs/http_api.md` with its handler."""
        handlers = self._routes.handlers()
        return {route: Request.application(read_only(each)) for route, each in handlers.items()}

    def is_active(self) -> bool:
        """Whether there is no run yet, so that a tab that is opened early is there.

        Where there are runs, TensorBoard looks for data of `data_plugin_names` itself.
        """
        return not self._provider.list_runs(RequestContext(), experiment_id="")

    def data_plugin_names(self) -> tuple[str, ...]:
        """Plugins whose data make the tab active: scalars can be heard without norms."""
        return (PLUGIN_NAME, SCALARS)

    def frontend_metadata(self) -> FrontendMetadata:
        """The tab, and the module that fills it."""
        return FrontendMetadata(es_module_path="/index.js", tab_name="Sonify")


def _settings(flags: "Namespace | None") -> Settings:
    """Options of TensorBoard that reading depends on."""
    globs = getattr(flags, "sonify_norms", "").split(",")
    limits = getattr(flags, "samples_per_plugin", None) or {}
    return Settings(
        norm_globs=tuple(glob for each in globs if (glob := each.strip())),
        pairs=_pairs(getattr(flags, "sonify_pairs", "")),
        points_kept=limits.get(SCALARS, _POINTS_KEPT),
    )


def _pairs(text: str) -> tuple[Pair, ...]:
    try:
        return parse_pairs(text) if text else ()
    except ValueError as error:
        _logger.warning("--sonify_pairs is ignored: %s", error)
        return ()
