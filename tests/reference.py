"""Norms as plainly as can be: float64, one layer at a time."""

import numpy as np
import torch

from tb_sonify.schema.notes import NO_GRADIENT
from tests import recorded


def layer_norms(model, norm_type=2.0):
    """The norm of each module that owns parameters, by its name, as its gradients are now."""
    norms = {}
    for name, module in model.named_modules():
        gradients = [p.grad for p in module.parameters(recurse=False)]
        if gradients:
            norms[name] = norm_of(gradients, norm_type)
    return norms


def norm_of(gradients, norm_type=2.0):
    """The norm of gradients as if they were one vector."""
    values = [g.detach().double().flatten() for g in gradients if g is not None]
    if not values:
        return NO_GRADIENT
    return torch.linalg.vector_norm(torch.cat(values), norm_type).item()


def exact_norms(directory):
    """What a run stored as scalars: layer to step to norm, in float32."""
    tags = [tag for tag in recorded.tags(directory) if tag.startswith("grad_norm/")]
    return {tag[len("grad_norm/") :]: dict(recorded.scalars(directory, tag)) for tag in tags}


def assert_norms(directory, expected, *, rel=1e-5):
    """Check steps and norms of a run: `expected` gives a dictionary of norms for each step."""
    exact = exact_norms(directory)
    for layer in {layer for norms in expected.values() for layer in norms}:
        wanted = {
            step: norms[layer]
            for step, norms in expected.items()
            if norms.get(layer, NO_GRADIENT) != NO_GRADIENT
        }
        found = exact.pop(layer, {})
        assert list(found) == list(wanted), layer
        np.testing.assert_allclose([*found.values()], [*wanted.values()], rtol=rel, err_msg=layer)
    assert exact == {}
    rows = recorded.rows(directory)
    assert [int(step) for block in rows for step in block.steps] == list(expected)


def pre_clip(directory):
    """What the blocks of a run say of clipping."""
    return {block.options["pre_clip"] for block in recorded.rows(directory)}
