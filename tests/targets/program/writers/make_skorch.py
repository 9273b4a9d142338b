"""skorch's history.json: fit and partial_fit, and an epoch scored every second time."""

import numpy as np
import skorch
import torch
from common import keep
from skorch.callbacks import Callback, EpochScoring

rng = np.random.default_rng(0)
x = rng.normal(size=(60, 4)).astype("float32")
y = x.sum(1, keepdims=True) + 0.1 * rng.normal(size=(60, 1)).astype("float32")
measured: dict[int, dict[str, float]] = {}
by = f"skorch {skorch.__version__}, net.save_params(f_history=...): "


class Measure(Callback):
    """Computes the losses of the validation rows itself when an epoch has ended; that is the ground truth."""

    def on_epoch_end(self, net: skorch.NeuralNet, dataset_valid: object = None, **kwargs: object) -> None:
        rows = [dataset_valid[n] for n in range(len(dataset_valid))]
        wrong = net.predict(np.stack([row[0] for row in rows])) - np.stack([row[1] for row in rows])
        measured[len(measured) + 1] = {
            "valid_loss": float(np.mean(wrong**2)),
            "valid_mae": -float(np.mean(np.abs(wrong))),
        }


def network(**settings: object) -> skorch.NeuralNetRegressor:
    torch.manual_seed(0)
    return skorch.NeuralNetRegressor(
        torch.nn.Linear, module__in_features=4, module__out_features=1, lr=0.05, verbose=0, batch_size=16, **settings
    )


def losses() -> dict[int, dict[str, float]]:
    return {epoch: {"valid_loss": values["valid_loss"]} for epoch, values in measured.items()}


net = network(max_epochs=3, callbacks=[("measure", Measure())])
net.fit(x, y)
net.save_params(f_history="history.json")
keep("skorch/first", "history.json", losses(), 1e-5, by + "one line, epoch counted from 1, batches inside")
net.partial_fit(x, y, epochs=2)
net.save_params(f_history="history.json")
keep("skorch/second", "history.json", losses(), 1e-5, by + "partial_fit of two more epochs goes on with 4")

scored = EpochScoring("neg_mean_absolute_error", name="valid_mae", lower_is_better=False)
measured.clear()
net = network(max_epochs=3, callbacks=[("measure", Measure()), ("scored", scored)])
net.fit(x, y)
net.save_params(f_history="history.json")
keep("skorch/scored", "history.json", measured, 1e-5, by + "a score of its own and booleans *_best")
