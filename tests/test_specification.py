"""The plugin does what `docs/openapi.yaml` says of it, and nothing else."""

import copy
import math
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from tb_sonify.plugin.run_routes import RunRoutes
from tb_sonify.reading.store import Store
from tb_sonify.training.summary import surface_event
from tests.client import opened_client
from tests.landscapes import surface_of
from tests.logs import norms_of, run_events, scalar_events, write_events

ROOT = Path(__file__).parent.parent
SPECIFICATION = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
PARAMETERS = SPECIFICATION["components"]["parameters"]
ROUTES = SPECIFICATION["paths"]
NAMES = {"run": ["sgd", "plain"], "along": ["sgd", "plain"], "preset": ["smooth", "single"]}
NAMES |= {"tag": ["accuracy"], "lead_tag": ["accuracy"], "name": ["one"], "surface": ["plane"]}
# A request of every route that is answered; arguments that only go together, together.
GOOD = {"run": "sgd", "tag": "accuracy", "along": "sgd", "preset": "single"}
GOOD |= {
    "name": "one",
    "surface": "plane",
    "first_note": 0,
    "notes": 1,
    "from": 0,
    "to": 9,
    "columns": 1,
}
FEW = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=25,
    suppress_health_check=list(HealthCheck),
)
SCALE, ROWS = {"scale": "linear", "low": 1, "high": 2}, {"rows_from": 0, "rows_to": 9}
TOGETHER = {**dict.fromkeys(SCALE, SCALE), **dict.fromkeys(ROWS, ROWS)}
# The other end of a stretch or scale that has one end at its bound.
WIDEST = {
    "from": {"to": 1e19},
    "to": {"from": -1e19},
    "low": {"high": 1e300},
    "high": {"low": -1e300},
    "rows_from": {"rows_to": 1e19},
    "rows_to": {"rows_from": -1e19},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A run of 150 notes and a scalar, and one of a scalar alone."""
    logdir = tmp_path_factory.mktemp("logs")
    events = run_events(norms_of(150), np.arange(150), presets=())
    events += [surface_event("plane", surface_of(), step=9)]
    write_events(logdir / "sgd", [*events, *scalar_events("accuracy", [(0, 0.5), (9, 0.7)])])
    write_events(logdir / "plain", scalar_events("accuracy", [(0, 0.5)]))
    with opened_client(logdir, "slow") as opened:
        yield opened


def parameters_of(path):
    """The arguments of a route by their name."""
    named = [each["$ref"].rpartition("/")[2] for each in ROUTES[path]["get"].get("parameters", ())]
    return {PARAMETERS[name]["name"]: PARAMETERS[name] for name in named}


def test_every_route_is_specified_and_every_specified_route_exists():
    handlers = RunRoutes(Store(provider=None)).handlers()  # no request, so nothing is read
    assert {re.sub(r"{\w+}", "*", path) for path in ROUTES} == set(handlers)


def test_every_argument_that_is_read_is_specified():
    sources = "".join(path.read_text() for path in (ROOT / "tb_sonify/plugin").glob("*.py"))
    read = re.findall(r'request, "(\w+)"|args\.get\("(\w+)"\)|"(\w+)" in request\.args', sources)
    names = {name for found in read for name in found if name}
    assert {"run", "tag", "along", "speed", "epoch", "columns", "from"} <= names
    assert names <= {each["name"] for each in PARAMETERS.values() if each["in"] == "query"}


def specification_with_names():
    """The specification, in which all names are those that there are."""
    named = copy.deepcopy(SPECIFICATION)
    for parameter in named["components"]["parameters"].values():
        if found := NAMES.get(parameter["name"]):
            schema = parameter["schema"]
            schema.get("items", schema)["enum"] = found
    return named


def edges():
    """A route, an argument, values that it takes, and values just beyond."""
    for path in ROUTES:
        for name, parameter in parameters_of(path).items():
            schema = parameter["schema"].get("items", parameter["schema"])
            low, high = schema.get("minimum"), schema.get("maximum")
            if "enum" in schema:
                yield path, name, schema["enum"], ["", "other", f"{schema['enum'][0]} "]
            elif schema["type"] == "integer":
                yield path, name, [low, high], [low - 1, high + 1, "-", "1.0", "1e1", "\u0663"]
            elif schema["type"] == "number":
                wrong = ["", "nan", "inf", "0x1", "1_0", " 1", "1e999", "\u0663"]
                if low is not None:
                    wrong += [math.nextafter(low, -math.inf), math.nextafter(high, math.inf)]
                # A lower end is tried at its own bound, with the upper end at that one's.
                ends = {"from": [low], "low": [low], "to": [high], "high": [high]}
                within = ends.get(name.removeprefix("rows_"), [low, high])
                yield path, name, [] if low is None else within, wrong


@pytest.mark.parametrize(("path", "name", "within", "beyond"), list(edges()))
def test_an_argument_is_taken_up_to_its_bounds_and_no_further(client, path, name, within, beyond):
    query = {**GOOD, **TOGETHER.get(name, {})}
    for value in within:
        response = client.sonify(path[1:], **{**query, **WIDEST.get(name, {}), name: value})
        assert response.status_code in (200, 404), (value, response.text)
    for value in beyond:
        response = client.sonify(path[1:], **{**query, name: value})
        assert response.status_code == 400, (value, response.text)


@pytest.mark.parametrize("path", ROUTES)
def test_an_argument_that_is_needed_is_asked_for(client, path):
    for name, parameter in parameters_of(path).items():
        if parameter.get("required") and parameter["in"] == "query":
            given_others = {key: value for key, value in GOOD.items() if key != name}
            response = client.sonify(path[1:], **given_others)
            assert response.status_code == 400, name
            assert repr(name) in response.text


@pytest.mark.parametrize("path", ROUTES)
def test_what_is_no_request_to_read_is_refused(client, path):
    url = f"/data/plugin/sonify{path}"
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "MOVE"):
        response = client.open(url, method=method, query_string=GOOD, data=b"x" * 1_000)
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD"), method


@pytest.mark.parametrize("path", ROUTES)
def test_a_head_is_that_of_the_answer_without_its_body(client, path):
    url = f"/data/plugin/sonify{path}"
    full, head = (client.open(url, method=each, query_string=GOOD) for each in ("GET", "HEAD"))
    assert head.data == b""
    assert (head.status_code, head.content_type) == (full.status_code, full.content_type)


def answers(client, specification, path, mode):
    """How many made-up requests had each status; each answer must be as it is specified."""
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi import checks

    tried = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_headers_conformance,
        checks.response_schema_conformance,
        checks.negative_data_rejection,
        checks.unsupported_method,
    ]
    schema = schemathesis.openapi.from_dict(specification)
    schema.app = client.application
    statuses = Counter()

    @given(case=schema[path]["GET"].as_strategy(generation_mode=GenerationMode(mode)))
    @FEW
    def ask(case):
        response = case.call_and_validate(checks=tried, headers={"Accept-Encoding": "identity"})
        statuses[response.status_code] += 1

    ask()
    return statuses


@pytest.mark.parametrize("path", ROUTES)
def test_any_names_are_answered_as_specified(client, path):
    assert answers(client, SPECIFICATION, path, "positive")


@pytest.mark.parametrize("path", ROUTES)
def test_arguments_within_their_bounds_are_answered_as_specified(client, path):
    statuses = answers(client, specification_with_names(), path, "positive")
    assert statuses[200] or path == "/parts/{name}"


@pytest.mark.parametrize("path", [path for path in ROUTES if parameters_of(path).keys() - {"name"}])
def test_arguments_beyond_their_bounds_are_refused(client, path):
    statuses = answers(client, SPECIFICATION, path, "negative")
    assert statuses[400]
