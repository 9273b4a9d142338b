#!/usr/bin/env bash
# Transformers 5.24: once a training's loss is NaN, the Trainer logs "loss": 0.0, the best value there can be. NaN and
# infinite steps are left out of the sum that is logged (logging_nan_inf_filter, on by default), and when every step
# of the interval is left out, nothing is what remains. grad_norm and eval_loss say NaN; so does loss with the filter off.
#
# Seen: filter on:  loss of epochs 1 to 3: 5.194125475158006e+18, 0.0, 0.0; eval_loss inf, nan, nan
#       filter off: loss of epochs 1 to 3: inf, nan, nan; eval_loss inf, nan, nan
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3.11 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.24.0 accelerate==1.14.0
CUDA_VISIBLE_DEVICES='' venv/bin/python - <<'EOF'
import math

import torch
from transformers import Trainer, TrainingArguments


class Slope(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x, labels):
        return {"loss": ((self.w * x - labels) ** 2).mean(), "logits": self.w * x}


def curves(nan_filter):
    told = TrainingArguments(
        "out", num_train_epochs=3, per_device_train_batch_size=8, learning_rate=1e8, optim="sgd", max_grad_norm=0,
        lr_scheduler_type="constant", logging_strategy="epoch", eval_strategy="epoch", save_strategy="no", seed=0,
        logging_nan_inf_filter=nan_filter, report_to="none", use_cpu=True, disable_tqdm=True,
    )
    rows = [{"x": torch.tensor([i % 5 + 1.0]), "labels": torch.tensor([2.0])} for i in range(40)]
    trainer = Trainer(Slope(), told, train_dataset=rows, eval_dataset=rows)
    trainer.train()
    history = trainer.state.log_history
    return ([row[name] for row in history if name in row] for name in ("loss", "eval_loss"))


for nan_filter in (True, False):
    loss, evaluated = curves(nan_filter)
    print(f"filter {'on' if nan_filter else 'off'}: loss {loss}, eval_loss {evaluated}")
    assert evaluated[0] == math.inf and all(map(math.isnan, evaluated[1:])), evaluated
    assert loss[1:] == [0.0, 0.0] if nan_filter else all(map(math.isnan, loss[1:])), loss
EOF
