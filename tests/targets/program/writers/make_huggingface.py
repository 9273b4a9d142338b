"""trainer_state.json of the Hugging Face Trainer: evaluated every epoch, training loss logged within epochs."""

import torch
from common import keep
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

measured: dict[int, dict[str, float]] = {}


class Measured(Trainer):
    """Keeps what evaluate() returned; that is the ground truth."""

    def evaluate(self, *args: object, **kwargs: object) -> dict[str, float]:
        told = super().evaluate(*args, **kwargs)
        measured[round(self.state.epoch)] = {"eval_loss": told["eval_loss"], "eval_accuracy": told["eval_accuracy"]}
        return told


def rows(n: int, seed: int) -> list[dict]:
    draw = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, 20, (n, 8), generator=draw)
    return [{"input_ids": row, "labels": int(row[0] > 9)} for row in tokens]


def accuracy(predicted: tuple) -> dict[str, float]:
    scores, labels = predicted
    return {"accuracy": float((scores.argmax(-1) == labels).mean())}


def train(folder: str, until: int, resume: str | None = None, **more: object) -> None:
    measured.clear()
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, num_labels=2
    )
    settings = TrainingArguments(
        output_dir=folder,
        num_train_epochs=until,
        per_device_train_batch_size=8,
        eval_strategy="epoch",
        save_strategy="epoch",
        logging_steps=3,
        report_to="none",
        use_cpu=True,
        seed=0,
        **{"learning_rate": 0.01, **more},
    )
    trainer = Measured(
        BertForSequenceClassification(config), settings, train_dataset=rows(56, 1), eval_dataset=rows(32, 2),
        compute_metrics=accuracy,
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=resume)
    trainer.save_state()


by = "transformers 5.24.0 Trainer: "
state = "out/trainer_state.json"
train("out", until=3)
first = dict(measured)
keep("huggingface/first", state, first, 1e-12, by + "save_state() after train(); its closing record has no eval_loss")
beside = "out/checkpoint-14/trainer_state.json"
keep("huggingface/checkpoint", beside, {n: first[n] for n in (1, 2)}, 1e-12, by + "the checkpoint of the second epoch")
train("out", until=5, resume="out/checkpoint-21")
keep("huggingface/second", state, first | measured, 1e-12, by + "resumed from epoch 3; its closing record is gone")
train("early", until=2, eval_on_start=True)
measured.pop(0)  # before the first step: no epoch was trained
note = "eval_on_start=True: a record of epoch 0, before any training"
keep("huggingface/eval_on_start", "early/trainer_state.json", measured, 1e-12, by + note)
train("diverged", until=3, learning_rate=1e30)
note = "diverged: eval_loss is NaN, while loss, which leaves NaN out, is 0.0"
keep("huggingface/diverged", "diverged/trainer_state.json", measured, 1e-12, by + note)
