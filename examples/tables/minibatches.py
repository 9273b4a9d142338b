"""The part that the networks of this folder share: SGD over small sets of data, held as tensors."""

import torch


class Minibatches:
    """A target whose subclass sets `model`, `optimizer`, `batch_size`, `training` and `held_out` in `setup`."""

    def loss(self, outputs, targets):
        return torch.nn.functional.cross_entropy(outputs, targets)

    def sgd(self, configuration):
        return torch.optim.SGD(
            self.model.parameters(),
            lr=configuration["lr"],
            momentum=configuration["momentum"],
            weight_decay=configuration["weight_decay"],
        )

    def train_epoch(self, epoch):
        inputs, targets = self.training
        self.model.train()
        for rows in torch.randperm(len(inputs)).split(self.batch_size):
            self.optimizer.zero_grad()
            self.loss(self.model(inputs[rows]), targets[rows]).backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)
            self.optimizer.step()

    def validate(self):
        inputs, targets = self.held_out
        self.model.eval()
        with torch.no_grad():
            outputs = self.model(inputs)
            measured = {"loss": self.loss(outputs, targets).item()}
            if not targets.is_floating_point():
                measured["error"] = (outputs.argmax(1) != targets).float().mean().item()
        return measured


def with_wrong_labels(labels, share, classes, generator):
    """Return the labels with a share of them replaced by random classes."""
    wrong = torch.rand(len(labels), generator=generator) < share
    return torch.where(wrong, torch.randint(classes, (len(labels),), generator=generator), labels)
