"""Every module has a test under its own name, in the mirrored place."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[1]

#: Modules without one, and why: they hold nothing of their own that could be wrong.
EXCEPTIONS = {
    "gdsfd/_version.py": "one constant, held by tests/test_versions.py",
    "gdsfd/baselines/suspect_facts.py": "fields of a result, filled by gdsfd/training/suspects/suspect_facts.py",
    "gdsfd/first_spec/proposal.py": "fields of a result, filled by gdsfd/first_spec/propose.py",
    "gdsfd/bench/options.py": "fields of settings",
    "gdsfd/bench/opponents/contest.py": "fields and a table of names, run by tests/bench/test_train_step.py",
    "gdsfd/nn/backbones/card.py": "fields of facts, held by tests/nn/backbones/test_learners.py",
    "gdsfd/training/state.py": "fields of a state",
}


def test_every_module_has_its_test() -> None:
    modules = [path.relative_to(ROOT) for path in (ROOT / "gdsfd").rglob("*.py") if not path.name.startswith("__")]
    missing = {
        str(module)
        for module in modules
        if not (ROOT / "tests" / module.relative_to("gdsfd").parent / f"test_{module.stem}.py").exists()
    }
    assert missing - set(EXCEPTIONS) == set()
    assert set(EXCEPTIONS) <= missing, "these have a test now"
