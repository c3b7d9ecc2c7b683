"""What several processes do not train, and what is said of it."""

from __future__ import annotations

import pytest
from torch import nn

from gdsfd.comparison import compare
from gdsfd.errors import InputError
from gdsfd.fusion_study.study import study
from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.graph.patient_store import PatientStore
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.debiaser import Debiaser
from gdsfd.training.hooks import BackboneHooks
from gdsfd.training.over_ranks_checks import check_one_process, check_over_ranks
from tests.cohort_factory import make_cohort


@pytest.fixture(scope="module")
def graph():
    return graph_from_cohort(make_cohort(40))


def check(graph, backbone="concat", patients=40, change=None, **options):
    config = TrainConfig(channels=8, members=1, backbone_options=options).resolved(40)
    network = build_network(graph.schema, backbone, None, config, 0)
    if change is not None:
        change(network)
    check_over_ranks(network, BackboneHooks(network, PatientStore(graph), config), patients, 2)


@pytest.mark.parametrize("backbone", ["concat", "muse", "grape"])
def test_three_backbones_are_trained_by_several(graph, backbone):
    check(graph, backbone)


@pytest.mark.parametrize(
    ("backbone", "options", "why"),
    [
        ("muse", {"contrastive": 0.1}, "the contrastive losses compare all patients of a batch; use devices=1"),
        ("grape", {"imputation": 0.1}, "the imputation loss is a mean over a batch; use devices=1"),
        ("m3care", {}, "may look at all patients of a batch; use devices=1"),
    ],
)
def test_a_loss_over_a_batch_is_refused(graph, backbone, options, why):
    with pytest.raises(InputError, match=f"would not come to the network that one trains: .*{why}"):
        check(graph, backbone, **options)


def test_a_batch_norm_of_ones_own_is_refused(graph):
    def change(network):
        network.members[0].out = nn.Sequential(nn.BatchNorm1d(8), network.members[0].out)

    with pytest.raises(InputError, match="BatchNorm1d looks at all patients of a batch"):
        check(graph, change=change)


def test_too_few_patients(graph):
    with pytest.raises(InputError, match="2 processes share 3 training patients, of whom each needs two; use fewer"):
        check(graph, patients=3)


def test_many_fits_are_of_one_process_each(graph, tmp_path):
    check_one_process(TrainConfig())
    with pytest.raises(InputError, match=r"2 processes were asked for.*give jobs= \(--jobs\)"):
        compare(graph, arms=["none"], backbones=["concat"], out=tmp_path / "compared", devices=2)
    with pytest.raises(InputError, match="2 processes were asked for"):
        study(graph, tmp_path / "study", devices=2)
    assert not list(tmp_path.iterdir())


def test_jobs_and_devices_at_once(graph):
    with pytest.raises(
        InputError, match="3 jobs were asked for, and 2 devices for each fit; expected one of them to be 1"
    ):
        Debiaser("concat", "full", devices=2).fit(graph, jobs=3)
