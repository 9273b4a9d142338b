"""The model of the search: put your LightningModule and your data in the place of `Model` and `setup`.

`LightningTarget` lets Lightning train an epoch at a time; Lightning's own checkpoint is the state of a training.
"""

import logging
import warnings
from pathlib import Path

import lightning
import torch

# a line for each epoch
logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
warnings.filterwarnings("ignore", module="lightning")


class Model(lightning.LightningModule):
    def __init__(self, lr, width):
        super().__init__()
        self.lr = lr
        self.net = torch.nn.Sequential(torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1))

    def training_step(self, batch, index):
        x, y = batch
        return torch.nn.functional.mse_loss(self.net(x), y)

    def validation_step(self, batch, index):
        x, y = batch
        self.log("loss", torch.nn.functional.mse_loss(self.net(x), y))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


class LightningTarget:
    def setup(self, configuration, context):
        x = torch.linspace(-3, 3, 512)[:, None]
        y = torch.sin(2 * x) + 0.1 * torch.randn_like(x)
        self.training = torch.utils.data.TensorDataset(x[::2], y[::2])
        self.validation = torch.utils.data.TensorDataset(x[1::2], y[1::2])
        self.module = Model(**configuration)
        self.accelerator = "gpu" if context.device == "cuda" else "cpu"
        self.checkpoint = Path(context.folder) / "lightning.ckpt"
        self.state = None

    def train_epoch(self, epoch):
        trainer = self.trainer(max_epochs=epoch)
        if self.state is not None:
            torch.save(self.state, self.checkpoint)
        loader = torch.utils.data.DataLoader(self.training, batch_size=16, shuffle=True)
        trainer.fit(self.module, loader, ckpt_path=self.checkpoint if self.state is not None else None)
        trainer.save_checkpoint(self.checkpoint)
        self.state = torch.load(self.checkpoint, weights_only=True)
        self.checkpoint.unlink()

    def validate(self):
        """Return the metrics after an epoch: all that `validation_step` logs."""
        loader = torch.utils.data.DataLoader(self.validation, batch_size=256)
        (found,) = self.trainer().validate(self.module, loader, verbose=False)
        return found

    def trainer(self, **options):
        options |= {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
        return lightning.Trainer(enable_model_summary=False, accelerator=self.accelerator, devices=1, **options)

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state
        self.module.load_state_dict(state["state_dict"])
