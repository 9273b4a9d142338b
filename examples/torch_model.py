"""Plain torch: every attribute with a `state_dict` is saved and restored automatically."""

import torch


class MyModel:
    def setup(self, configuration, context):
        self.x = torch.linspace(-3, 3, 512)[:, None]
        self.y = torch.sin(2 * self.x) + 0.1 * torch.randn(512, 1)
        width = configuration["width"]
        self.model = torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=configuration["lr"])

    def train_epoch(self, epoch):
        for rows in torch.randperm(512).split(32):
            self.optimizer.zero_grad()
            torch.nn.functional.mse_loss(self.model(self.x[rows]), self.y[rows]).backward()
            self.optimizer.step()

    def validate(self):
        return {"loss": torch.nn.functional.mse_loss(self.model(self.x), self.y).item()}
