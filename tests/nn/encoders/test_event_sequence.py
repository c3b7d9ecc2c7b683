"""What every view of events over time has to do: a list of events, in whatever order, alone or among others."""

from __future__ import annotations

import pytest
import torch

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.encoders.event_set import EventSet
from gdsfd.nn.encoders.step_sequence import StepSequence
from gdsfd.nn.encoders.time_attention import TimeAttention
from gdsfd.nn.predictor import Predictor
from gdsfd.training import Debiaser
from tests.cohort_factory import make_cohort

VIEWS = {"gru": StepSequence, "utde": TimeAttention, "set": EventSet}


@pytest.fixture(params=list(VIEWS))
def view(request):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VIEWS[request.param](3, 5, 4)


def test_events_are_a_set_of_their_own_observation(view):
    owner, step, item = torch.tensor([0, 0, 0, 2, 2]), torch.tensor([0, 3, 3, 1, 4]), torch.tensor([1, 1, 2, 0, 0])
    value = torch.tensor([0.5, -1.0, 2.0, 0.1, 3.0])
    found = view.read(value, owner, step, item, 3)
    assert found.shape == (3, 4)
    assert found.isfinite().all()  # the second has no event
    order = torch.tensor([2, 0, 1, 4, 3])
    torch.testing.assert_close(view.read(value[order], owner, step[order], item[order], 3), found)
    alone = view.read(value[3:], owner[3:] - 2, step[3:], item[3:], 1)
    torch.testing.assert_close(alone[0], found[2])
    for changed in (
        (value + torch.tensor([0, 1.0, 0, 0, 0]), step, item),
        (value, torch.tensor([0, 2, 3, 1, 4]), item),
        (value, step, torch.tensor([1, 0, 2, 0, 0])),
    ):
        other = view.read(changed[0], owner, changed[1], changed[2], 3)
        assert not torch.allclose(other[0], found[0])  # value, time and item each count
        torch.testing.assert_close(other[2], found[2])


@pytest.mark.parametrize("sequence", list(VIEWS))
def test_each_is_a_setting_and_is_trained(sequence, tmp_path):
    graph = graph_from_cohort(make_cohort(80))
    settings = {"members": 1, "channels": 8, "max_epochs": 1, "sequence": sequence}
    model = Debiaser("concat", **settings).fit(graph, baselines=False)
    before = Predictor(graph.schema, "concat", channels=8, sequence=sequence)
    names = [name for name, _ in before.named_parameters() if ".sequence." in name]
    assert names
    model.save(tmp_path / "run")
    assert (Debiaser.load(tmp_path / "run").predict_proba(graph) == model.predict_proba(graph)).all()
    loss = before(PatientStore(graph).batch(torch.arange(40))).logits.square().sum()
    loss.backward()
    moved = dict(before.named_parameters())
    assert all(moved[name].grad is not None and moved[name].grad.abs().sum() > 0 for name in names)
