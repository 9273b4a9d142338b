"""Keras's CSVLogger on the torch backend: validation_freq=2 leaves NA, append=True goes on, a diverged fit."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
from common import keep

rng = np.random.default_rng(0)
x = rng.normal(size=(64, 4)).astype("float32")
y = x.sum(1, keepdims=True) + 0.1 * rng.normal(size=(64, 1)).astype("float32")


def model(rate: float) -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(rate), loss="mse", metrics=["mae"])
    return model


def fit(model: keras.Model, file: str, start: int, until: int, every: int, append: bool) -> dict:
    """Train epochs start + 1 to until; the ground truth is the History object that fit returned."""
    history = model.fit(
        x,
        y,
        validation_data=(x[:32], y[:32]),
        validation_freq=every,
        initial_epoch=start,
        epochs=until,
        callbacks=[keras.callbacks.CSVLogger(file, append=append), keras.callbacks.TerminateOnNaN()],
        verbose=0,
    )
    measured: dict = {epoch + 1: {} for epoch in history.epoch}
    validated = [epoch + 1 for epoch in history.epoch if (epoch + 1) % every == 0]
    for name, values in history.history.items():
        for epoch, value in zip(validated if name.startswith("val_") else measured, values, strict=True):
            measured[epoch][name] = float(value)
    return measured


by = f"keras {keras.__version__} CSVLogger, torch backend: "
network = model(0.05)
first = fit(network, "training.log", 0, 3, every=1, append=True)
keep("keras/first", "training.log", first, 1e-6, by + "epochs counted from 0, columns after epoch sorted by name")
second = fit(network, "training.log", 3, 5, every=1, append=True)
keep("keras/second", "training.log", first | second, 1e-6, by + "append=True and initial_epoch=3: one header, goes on")
measured = fit(model(0.05), "every_second.csv", 0, 5, every=2, append=False)
keep("keras/every_second", "every_second.csv", measured, 1e-6, by + "validation_freq=2, NA where there was none")
measured = fit(model(1e13), "diverged.csv", 0, 4, every=1, append=False)
keep("keras/diverged", "diverged.csv", measured, 1e-6, by + "a learning rate of 1e13, ended by TerminateOnNaN")
