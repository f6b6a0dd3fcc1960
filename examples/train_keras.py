"""Keras 3: a callback that logs gradient norms with the torch backend, metrics with any.

    python examples/train_keras.py [--steps N] [--logdir runs/keras]

Needs `pip install "tb-sonify[keras]"`.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

from tb_sonify.integrations.keras import SonifyCallback

BATCH = 32


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--logdir", default="runs/keras")
    options = parser.parse_args()
    keras.utils.set_random_seed(0)
    inputs = np.random.default_rng(0).normal(size=(BATCH * options.steps, 8)).astype("float32")
    labels = (inputs.sum(axis=1) > 0).astype("int32")
    model = keras.Sequential(
        [
            keras.layers.Input((8,)),
            keras.layers.Dense(32, activation="relu", name="first"),
            keras.layers.Dense(16, activation="relu", name="second"),
            keras.layers.Dense(2, name="head"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=loss)
    callback = SonifyCallback(f"{options.logdir}/adam")
    model.fit(inputs, labels, batch_size=BATCH, verbose=0, callbacks=[callback])


if __name__ == "__main__":
    main()
