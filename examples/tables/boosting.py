"""Gradient boosting of regression trees on 150 noisy points of Friedman's first function; an epoch is 20 rounds."""

import numpy as np
from sklearn.datasets import make_friedman1
from sklearn.tree import DecisionTreeRegressor

INPUTS, OUTPUTS = make_friedman1(150, n_features=10, noise=5.0, random_state=3)
HELD_OUT_INPUTS, HELD_OUT_OUTPUTS = make_friedman1(1000, n_features=10, noise=0.0, random_state=4)


class Boosting:
    """The sums of all trees so far are the state: later trees need no earlier tree."""

    def setup(self, configuration, context):
        self.rate, self.share = configuration["lr"], configuration["subsample"]
        self.tree = {name: configuration[name] for name in ("max_depth", "min_samples_leaf", "max_features")}
        self.fitted = np.full(len(OUTPUTS), OUTPUTS.mean())
        self.predicted = np.full(len(HELD_OUT_OUTPUTS), OUTPUTS.mean())

    def train_epoch(self, epoch):
        for _ in range(20):
            rows = np.random.permutation(len(OUTPUTS))[: int(self.share * len(OUTPUTS))]
            tree = DecisionTreeRegressor(**self.tree).fit(INPUTS[rows], (OUTPUTS - self.fitted)[rows])
            self.fitted += self.rate * tree.predict(INPUTS)
            self.predicted += self.rate * tree.predict(HELD_OUT_INPUTS)

    def validate(self):
        return {"loss": np.mean((self.predicted - HELD_OUT_OUTPUTS) ** 2)}

    def state_dict(self):
        return {"fitted": self.fitted.tolist(), "predicted": self.predicted.tolist()}

    def load_state_dict(self, state):
        self.fitted, self.predicted = np.array(state["fitted"]), np.array(state["predicted"])
