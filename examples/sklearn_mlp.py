"""scikit-learn: a classifier that trains in pieces. Its state is a few arrays."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

IMAGES, CLASSES = load_digits(return_X_y=True)
IMAGES = IMAGES / 16
LEARNED = ("coefs_", "intercepts_")


class DigitsMLP:
    def setup(self, configuration, context):
        self.model = MLPClassifier(
            hidden_layer_sizes=(configuration["width"],),
            alpha=configuration["alpha"],
            learning_rate_init=configuration["lr"],
            solver="sgd",
            momentum=0.0,
        )
        self.training, self.validation = slice(0, 1200), slice(1200, None)

    def train_epoch(self, epoch):
        # the global generator is seeded before each epoch
        order = np.random.permutation(1200)
        for rows in np.array_split(order, 20):
            self.model.partial_fit(IMAGES[rows], CLASSES[rows], classes=range(10))

    def validate(self):
        return {"accuracy": self.model.score(IMAGES[self.validation], CLASSES[self.validation])}

    def state_dict(self):
        return {name: [part.tolist() for part in getattr(self.model, name)] for name in LEARNED}

    def load_state_dict(self, state):
        # one partial fit creates the classifier's arrays; then the saved values replace theirs
        self.model.partial_fit(IMAGES[:10], CLASSES[:10], classes=range(10))
        for name in LEARNED:
            for own, saved in zip(getattr(self.model, name), state[name], strict=True):
                own[...] = np.array(saved)
