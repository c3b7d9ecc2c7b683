"""How much two codes share: bounds of mutual information and measures of dependence. One file each."""

from gdsfd.nn.information.alternate import critic_step
from gdsfd.nn.information.club import Club
from gdsfd.nn.information.dcor import DistanceCorrelation
from gdsfd.nn.information.estimator import CodeGroup, Dependence
from gdsfd.nn.information.grl import Adversary
from gdsfd.nn.information.hsic import Hsic
from gdsfd.nn.information.infonce import InfoNce
from gdsfd.nn.information.learned import LearnedDependence
from gdsfd.nn.information.mine import Mine
from gdsfd.nn.information.nwj import Nwj
from gdsfd.nn.information.orth import Orthogonality
from gdsfd.nn.information.pair_bound import PairBound
from gdsfd.nn.information.registry import build_information, check_information, known_information, register_information
from gdsfd.nn.information.xcov import CrossCovariance

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
    "build_information",
    "check_information",
    "critic_step",
    "known_information",
    "register_information",
]
