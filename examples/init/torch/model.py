"""The model of the search: put yours in its place.

Every attribute with a `state_dict` (model, optimiser, scheduler) is saved after each epoch, and restored. The random
generators of Python, NumPy and torch are seeded before each epoch. So a training that is stopped goes on bit for bit.
"""

import torch


class MyModel:
    def setup(self, configuration, context):
        """Make model and data; `configuration` has a value for each hyperparameter, `context.device` is cuda or cpu."""
        x = torch.linspace(-3, 3, 512, device=context.device)[:, None]
        y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
        self.training, self.validation = (x[::2], y[::2]), (x[1::2], y[1::2])
        width = configuration["width"]
        layers = torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        self.model = torch.nn.Sequential(*layers).to(context.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=configuration["lr"])

    def train_epoch(self, epoch):
        x, y = self.training
        for rows in torch.randperm(len(x)).split(16):
            self.optimizer.zero_grad()
            torch.nn.functional.mse_loss(self.model(x[rows]), y[rows]).backward()
            self.optimizer.step()

    @torch.no_grad()
    def validate(self):
        """Return the metrics after an epoch: that of the study file, and any others."""
        x, y = self.validation
        return {"loss": torch.nn.functional.mse_loss(self.model(x), y).item()}
