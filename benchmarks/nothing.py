"""A target that does nothing, to measure the workflow's own cost."""


class Nothing:
    """Its loss is its hyperparameter, divided by the epoch."""

    def setup(self, configuration, context):
        self.x, self.epoch = configuration["x"], 0

    def train_epoch(self, epoch):
        self.epoch = epoch

    def validate(self):
        return {"loss": self.x / self.epoch}

    def state_dict(self):
        return {"epoch": self.epoch}

    def load_state_dict(self, state):
        self.epoch = state["epoch"]
