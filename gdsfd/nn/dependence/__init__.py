"""How much two codes share: bounds of mutual information and measures of dependence. One file each."""

from gdsfd.nn.dependence.adversary import Adversary
from gdsfd.nn.dependence.alternate import critic_step
from gdsfd.nn.dependence.club import Club
from gdsfd.nn.dependence.cross_covariance import CrossCovariance
from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.distance_correlation import DistanceCorrelation
from gdsfd.nn.dependence.hsic import Hsic
from gdsfd.nn.dependence.infonce import InfoNce
from gdsfd.nn.dependence.learned import LearnedDependence
from gdsfd.nn.dependence.mine import Mine
from gdsfd.nn.dependence.nwj import Nwj
from gdsfd.nn.dependence.orthogonality import Orthogonality
from gdsfd.nn.dependence.pair_bound import PairBound
from gdsfd.nn.dependence.registry import build_dependence, check_dependence, known_dependence, register_dependence

__all__ = [
    "Adversary",
    "Club",
    "CodeGroup",
    "CrossCovariance",
    "Dependence",
    "DistanceCorrelation",
    "Hsic",
    "InfoNce",
    "LearnedDependence",
    "Mine",
    "Nwj",
    "Orthogonality",
    "PairBound",
    "build_dependence",
    "check_dependence",
    "critic_step",
    "known_dependence",
    "register_dependence",
]
