"""The target of a study that code of the user's own trains, in a loop of `Study.ask` and `Study.tell`."""

from __future__ import annotations

from typing import Any

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.shipped import page
from swift_hyperband.targets import Context

TRAINED_BY_USER = (
    f"ask-tell is trained by your own loop of Study.ask and Study.tell ({page('python.md')}), by no command"
)


class AskTell:
    """Stands for the model in the user's code: nothing here trains it, and its state has the curve alone."""

    def setup(self, configuration: dict[str, Any], context: Context) -> None:  # noqa: ARG002
        """Refuse to train."""
        raise UserError(f"target.name {TRAINED_BY_USER}")

    def train_epoch(self, epoch: int) -> None:
        """Do nothing: no trial is set up."""

    def validate(self) -> dict[str, float]:
        """Return no metrics: no trial is set up."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the user's code keeps its models."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing."""
