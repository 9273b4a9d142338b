"""The LSTM on text and particle flow on events: that they learn, and that they go on bit for bit."""

import bz2
import pickle
import random

import numpy as np
import pytest
import torch

from swift_hyperband.base.errors import UserError
from swift_hyperband.base.files import write_json
from swift_hyperband.datasets.substitutes import ttbar
from swift_hyperband.targets import Context, load_class
from swift_hyperband.targets.models.delphes_mlpf import Found, loss_of
from swift_hyperband.targets.models.mlpf_layers import GraphLayer
from swift_hyperband.training import segment
from swift_hyperband.training.settings import TrainingSettings
from swift_hyperband.training.trial import read_rows


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    """Words of which each follows from the one before, mostly."""
    folder, draw = tmp_path_factory.mktemp("text"), random.Random(0)
    for part, lines in (("train", 150), ("valid", 30), ("test", 30)):
        sentences = []
        for _ in range(lines):
            words = [draw.randrange(20)]
            while len(words) < 10:
                words.append((3 * words[-1] + 1) % 20 if draw.random() < 0.9 else draw.randrange(20))
            sentences.append(" ".join(f"w{word}" for word in words))
        (folder / f"ptb.{part}.txt").write_text("".join(f" {line} \n" for line in sentences))
    return folder


@pytest.fixture(scope="session")
def events(tmp_path_factory):
    """Events of a few random particles in the toy detector."""
    folder, draw = tmp_path_factory.mktemp("events"), random.Random(0)

    def particles():
        for _ in range(12):
            kind = draw.choice([1, 1, 2, 3])
            pt, eta = draw.uniform(5, 50), draw.uniform(-2, 2)
            charge = draw.choice([-1.0, 1.0]) if kind == 1 else 0.0
            yield ttbar.Particle(kind, charge, pt, eta, draw.uniform(-3, 3), pt * np.cosh(eta))

    for process, count in (("ttbar", 60), ("qcd", 10)):
        path = folder / f"tev14_pythia8_{process}_0_0.pkl.bz2"
        ttbar.write_events(path, [list(particles()) for _ in range(count)], seed=1)
    return folder


LSTM = {"batch_size": 10, "sequence": 10, "width": 0.05}
MLPF = {"train_events": 40, "validation_events": 20, "test_events": 10, "elements": 32, "batch_size": 4}
CONFIGURATIONS = {
    "ptb-lstm": {"n_layer": 2, "n_inputs": 640, "lr": 5.0, "dropout": 0.1},
    "delphes-mlpf": {"lr": 0.01, "bin_size": 16, "output_dim": 16, "num_graph_layers_id": 1, "num_graph_layers_reg": 1},
}


@pytest.fixture(params=CONFIGURATIONS)
def case(request, text, events):
    name = request.param
    options, metric = (
        ({"data": str(text), **LSTM}, "perplexity")
        if name == "ptb-lstm"
        else (
            {"data": str(events), **MLPF},
            "loss",
        )
    )
    return name, TrainingSettings(target=name, options=options, metric=metric, threads=1, seed=1, retries=0)


def trained(case, folder, epochs):
    name, settings = case
    (folder / "a").mkdir(parents=True)
    write_json(folder / "a/config.json", {"configuration": CONFIGURATIONS[name]})
    for end in epochs:
        segment.train(folder / "a", settings, load_class(name), end)
    return read_rows(folder / "a")


def test_it_learns_and_goes_on_bit_for_bit(case, tmp_path):
    pieces, whole = trained(case, tmp_path / "pieces", [1, 3, 6]), trained(case, tmp_path / "whole", [6])
    assert [{**row, "seconds": 0} for row in pieces] == [{**row, "seconds": 0} for row in whole]
    metric = case[1].metric
    assert whole[-1][metric] < 0.8 * whole[0][metric]
    state = [torch.load(tmp_path / which / "a/state.pt", weights_only=True)["parts"] for which in ("pieces", "whole")]
    for key, value in state[0]["model"].items():
        assert torch.equal(value, state[1]["model"][key])


def built(name, data, configuration=None, **options):
    target = load_class(name)()
    target.setup(configuration or {}, Context("a", 0, 1, {"data": str(data), **options}, data))
    return target


def test_short_texts_and_sizes_that_do_not_fit_are_told(text, events):
    with pytest.raises(UserError, match=r"train must hold 2000 words, twice batch_size, found 1650"):
        built("ptb-lstm", text, batch_size=1000)
    with pytest.raises(UserError, match=r"elements must be a multiple of bin_size, 64, found 32"):
        built("delphes-mlpf", events, {"bin_size": 64}, **MLPF)
    with pytest.raises(UserError, match=r"must hold 400 events"):
        built("delphes-mlpf", events, **{**MLPF, "train_events": 400})


def test_training_and_validation_events_that_would_overlap_are_told(events):
    with pytest.raises(UserError) as caught:
        built("delphes-mlpf", events, **{**MLPF, "train_events": 50})
    assert str(caught.value) == (
        "target.options.train_events and validation_events must be 60 in all at most, as many as "
        f"{events} holds in tev14_pythia8_ttbar_*.pkl.bz2, found 50 and 20; ask for fewer"
    )


def test_events_are_read_once_where_one_process_sets_a_target_up_again(events):
    """As check-target does."""
    first, second = (built("delphes-mlpf", events, **MLPF) for _ in range(2))
    for part in ("training", "validation", "test"):
        assert getattr(first, part).seen is getattr(second, part).seen


def test_a_perplexity_that_no_number_holds_counts_as_diverged(text):
    target = built("ptb-lstm", text, {"n_inputs": 200}, **LSTM)
    with torch.no_grad():
        target.model.words.bias[0] = 1e6
    assert target.validate()["perplexity"] == float("inf")


def test_the_order_of_elements_and_padding_do_not_count():
    torch.manual_seed(0)
    layer = GraphLayer(8, 32, 0.0).eval()
    elements, there = torch.randn(2, 32, 8), torch.ones(2, 32, dtype=torch.bool)
    there[:, 20:] = False
    found = layer(elements, there)
    order = torch.randperm(32)
    assert torch.allclose(layer(elements[:, order], there[:, order]), found[:, order], atol=1e-5)
    changed = elements.clone()
    changed[:, 20:] += 100
    assert torch.allclose(layer(changed, there)[:, :20], found[:, :20], atol=1e-5)


def test_messages_stay_within_a_bin():
    torch.manual_seed(0)
    layer = GraphLayer(8, 8, 0.0).eval()
    elements = torch.randn(1, 32, 8, requires_grad=True)
    layer(elements, torch.ones(1, 32, dtype=torch.bool))[0, 0, 0].backward()
    assert 1 < (elements.grad[0].abs().sum(-1) > 1e-12).sum() <= 8


def test_a_perfect_answer_has_no_loss(events):
    target = built("delphes-mlpf", events, **MLPF)
    seen, truth = target.validation
    sure = 100 * torch.nn.functional.one_hot(truth[..., 0].long(), 6).float()
    charges = 100 * torch.nn.functional.one_hot(truth[..., 1].long() + 1, 3).float()
    assert loss_of(Found(sure, charges, truth[..., 2:]), seen, truth).item() == pytest.approx(0, abs=1e-6)
    worse = truth[..., 2:].clone()
    worse[..., 4] += 1.0
    # Huber: half a square up to 1 GeV; one of pt and E
    assert loss_of(Found(sure, charges, worse), seen, truth).item() == pytest.approx(100 * 0.5 / 2, rel=1e-3)


def test_events_from_the_internet_run_no_code(events, tmp_path):
    class Evil:
        def __reduce__(self):
            return print, ("owned",)

    with bz2.open(tmp_path / "tev14_pythia8_ttbar_0_0.pkl.bz2", "wb") as file:
        pickle.dump({"X": [Evil()], "ygen": []}, file)
    with pytest.raises(UserError, match=r"must hold arrays and plain data only, found builtins\.print"):
        built("delphes-mlpf", tmp_path, **MLPF)
