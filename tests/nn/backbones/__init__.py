import pytest

pytest.register_assert_rewrite("tests.nn.backbones.learner_case")
