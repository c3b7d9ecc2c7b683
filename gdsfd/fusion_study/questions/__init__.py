"""The four questions of a study, one file each: from predictions and facts to sentences, tables and figures."""

from collections.abc import Callable

from gdsfd.fusion_study.answer import Answer, Material
from gdsfd.fusion_study.questions.fair import fair
from gdsfd.fusion_study.questions.robust import robust
from gdsfd.fusion_study.questions.when import when
from gdsfd.fusion_study.questions.which import which

__all__ = ["ANSWERS"]

#: Number of a question -> what answers it.
ANSWERS: dict[int, Callable[[Material], Answer]] = {1: when, 2: which, 3: robust, 4: fair}
