from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdsfd.cohort.patients.split import LEFT_OUT, assign_new, assign_split
from gdsfd.cohort.spec import SplitSpec
from gdsfd.errors import InputError


def one_split_each(subject: list[str], split: list[str]) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for person, name in zip(subject, split):
        if name != LEFT_OUT:
            seen[person].add(name)
    assert all(len(names) == 1 for names in seen.values())


@settings(max_examples=60, deadline=None)
@given(
    owner=st.lists(st.integers(0, 30), min_size=1, max_size=120),
    seed=st.integers(0, 5),
    fractions=st.sampled_from([(0.7, 0.1, 0.2), (0.5, 0.25, 0.25), (1.0, 0.0, 0.0), (0.8, 0.0, 0.2)]),
)
def test_random_split_keeps_subjects_whole_and_sizes_right(
    owner: list[int], seed: int, fractions: tuple[float, float, float]
) -> None:
    subject = [f"s{k}" for k in owner]
    strata = [k % 3 for k in owner]
    split = assign_split(SplitSpec(seed=seed, fractions=fractions), subject, strata=strata).split
    one_split_each(subject, split)
    people = dict(zip(subject, split))
    for name, share in zip(("train", "tuning", "test"), fractions):
        assert abs(Counter(people.values())[name] - share * len(people)) < 2


def test_random_split_does_not_depend_on_the_order_of_rows() -> None:
    random = np.random.default_rng(0)
    subject = np.array([f"s{k}" for k in random.integers(0, 100, 300)])
    strata = np.array([int(name[1:]) % 4 == 0 for name in subject], dtype=int)
    first = np.array(assign_split(SplitSpec(seed=3), list(subject), strata=strata).split)
    order = random.permutation(len(subject))
    again = np.array(assign_split(SplitSpec(seed=3), list(subject[order]), strata=strata[order]).split)
    assert (first[order] == again).all()
    other = np.array(assign_split(SplitSpec(seed=4), list(subject), strata=strata).split)
    assert (first != other).any()


def test_rare_labels_are_shared_out_evenly() -> None:
    subject = [f"s{k}" for k in range(1000)]
    strata = [int(k % 50 == 0) for k in range(1000)]  # 20 of 1000
    split = assign_split(SplitSpec(fractions=(0.6, 0.2, 0.2)), subject, strata=strata).split
    rare = Counter(name for name, label in zip(split, strata) if label)
    assert rare == {"train": 12, "tuning": 4, "test": 4}


def test_folds_partition_the_subjects() -> None:
    random = np.random.default_rng(1)
    subject = [f"s{k}" for k in random.integers(0, 60, 200)]
    strata = [int(name[1:]) % 5 == 0 for name in subject]
    tested: Counter[str] = Counter()
    for fold in range(5):
        split = assign_split(SplitSpec(folds=5, fold=fold, seed=2), subject, strata=np.array(strata, dtype=int)).split
        one_split_each(subject, split)
        held = {name for name, where in zip(subject, split) if where == "test"}
        assert 0 < split.count("tuning") < split.count("train")
        tested.update(held)
    assert set(tested) == set(subject)
    assert set(tested.values()) == {1}


def test_one_patient_is_trained_on() -> None:
    assert assign_split(SplitSpec(), ["s"], strata=[1]).split == ["train"]


def test_environment_holdout() -> None:
    subject = ["a", "a", "b", "c", "d", "e", "f"]
    environment = ["South", "North", "North", "North", "South", "North", "West"]
    spec = SplitSpec(kind="environment", holdout=["South"], fractions=(0.5, 0.5, 0))
    assigned = assign_split(spec, subject, environment=environment)
    assert assigned.split[0] == "test"
    assert assigned.split[4] == "test"
    assert assigned.split[1] == LEFT_OUT  # the same person lies in the holdout
    assert Counter(assigned.split)["train"] == 2
    assert Counter(assigned.split)["tuning"] == 2
    assert "same subject" in assigned.left_out
    with pytest.raises(InputError, match=r"no patient is in environment 'Sout'. Did you mean 'South'\?"):
        assign_split(SplitSpec(kind="environment", holdout=["Sout"]), subject, environment=environment)
    with pytest.raises(InputError, match="nobody is left to train on"):
        assign_split(spec, ["a", "b"], environment=["South", "South"])


def test_holdout_may_be_written_as_a_number() -> None:
    assert SplitSpec(kind="environment", holdout=[73, "79"]).holdout == ["73", "79"]
    assert SplitSpec(kind="environment", holdout=73).holdout == ["73"]


def test_time_split_reads_offsets_from_utc() -> None:
    times = ["2020-01-01T00:00:00Z", "2020-01-01 01:00:00+02:00", "2020-01-01T02:00:00Z", "2020-01-01 00:30 UTC"]
    assert by_time(times) == ["tuning", "train", "test", "tuning"]


def by_time(times: list[str | None]) -> list[str]:
    spec = SplitSpec(kind="time", column="t", fractions=(0.25, 0.5, 0.25))
    return assign_split(spec, [f"s{k}" for k in range(len(times))], column=times).split


def test_time_split_sorts_times_not_texts() -> None:
    assert by_time(["100", "9", "20", "50"]) == ["test", "train", "tuning", "tuning"]
    assert by_time(["20200131", "20191231", "20200101", "20200102"]) == ["test", "train", "tuning", "tuning"]
    assert by_time(["1577836803", "1577836800", "1577836801", "1577836802"]) == ["test", "train", "tuning", "tuning"]
    assert by_time(["2020-10-1", "2020-9-1", "2020-11-1", "2020-9-10"]) == ["tuning", "train", "test", "tuning"]
    assert by_time([f"2020-01-01 {hour}" for hour in ("01:00 PM", "11:00 AM", "12:00 PM", "12:30 AM")]) == [
        "test", "tuning", "tuning", "train",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["2020-01-01", "03/04/2020"], r"'t' has 1 times that cannot be read: '03/04/2020' \(id s1\)"),
        (["2020-01-01 10:00", "2020-01-01 10:00+02:00"], "1 of 2 times have an offset from UTC"),
        (["10:30", "11:30"], "holds hh:mm, .* which orders no patients"),
        (["2020-01-01", "NA"], r"'NA' \(id s1\)"),
        (["2020-01-01", "2020"], "expected"),
    ],
)
def test_time_split_refuses_what_it_cannot_order(times: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        by_time(times)


def test_time_split_warns_of_ties_and_placeholders() -> None:
    spec = SplitSpec(kind="time", column="t", fractions=(0.5, 0.2, 0.3))
    subject = [f"s{k}" for k in range(10)]
    assigned = assign_split(spec, subject, column=["2020"] * 7 + ["2021", "2022", "2023"])
    (warning,) = assigned.warnings
    assert "7 of 10 subjects have the one time at which 'train' ends and 'tuning' begins" in warning
    days = [f"2020-01-{k + 1:02d}" for k in range(9)]
    assert not assign_split(spec, subject, column=[*days, "2020-01-10"]).warnings
    assert "1 of 10 times" in assign_split(spec, subject, column=[*days, "9999-12-31"]).warnings[0]


def test_more_folds_than_subjects_are_refused() -> None:
    with pytest.raises(InputError, match="as many folds as there are subjects, 3, got 5"):
        assign_split(SplitSpec(folds=5), ["a", "b", "c"])


@pytest.mark.parametrize("dates", [False, True])
def test_time_split_takes_the_latest_subjects(dates: bool) -> None:
    days = [5, 1, 9, 2, 3, 4, 6, 7, 8, 10, 20]
    subject = ["e", "a", "i", "b", "c", "d", "f", "g", "h", "j", "a"]  # a's second stay is late: a goes by the first
    column = [f"2150-01-{day:02d}" if dates else str(day) for day in days]
    spec = SplitSpec(kind="time", column="t", fractions=(0.6, 0.2, 0.2))
    split = assign_split(spec, subject, column=column).split
    assert {name for name, where in zip(subject, split) if where == "test"} == {"i", "j"}
    assert {name for name, where in zip(subject, split) if where == "tuning"} == {"g", "h"}
    one_split_each(subject, split)


@pytest.mark.parametrize("wrong", [None, "soon"])
def test_time_split_needs_every_time(wrong: str | None) -> None:
    with pytest.raises(
        InputError, match=r"split.column 't'.* 1 (patients have a blank time, e.g. of subject b|times .*id b)"
    ):
        assign_split(SplitSpec(kind="time", column="t"), ["a", "b"], column=["1", wrong])


def test_column_split_keeps_further_names() -> None:
    column: list[Any] = ["train", "tuning", "test", "test_shifted", None]
    assigned = assign_split(SplitSpec(kind="column", column="c"), list("abcde"), column=column)
    assert assigned.split == ["train", "tuning", "test", "test_shifted", LEFT_OUT]


def test_column_split_draws_tuning_from_train_by_subject() -> None:
    subject = [f"s{k // 2}" for k in range(100)]
    column = ["train"] * 80 + ["test"] * 20
    assigned = assign_split(SplitSpec(kind="column", column="c"), subject, strata=[0] * 100, column=column)
    assert Counter(assigned.split) == {"train": 72, "tuning": 8, "test": 20}
    one_split_each(subject, assigned.split)
    assert "no 'tuning': 8 train patients" in assigned.warnings[0]


def test_column_split_mistakes() -> None:
    spec = SplitSpec(kind="column", column="c")
    with pytest.raises(InputError, match=r"1 subjects are in more than one split: 'a' in test and train"):
        assign_split(spec, ["a", "a", "b"], column=["train", "test", "train"])
    with pytest.raises(InputError, match="no patient is in 'train', found 'A', 'B'"):
        assign_split(spec, ["a", "b"], column=["A", "B"])


def test_column_split_reads_common_names() -> None:
    spec = SplitSpec(kind="column", column="c")
    column: list[Any] = ["Training", "Validation", "TEST", "external", None]
    assigned = assign_split(spec, list("abcde"), column=column)
    assert assigned.split == ["train", "tuning", "test", "external", LEFT_OUT]
    assert not assigned.warnings
    assert len(assigned.notes) == 3


def test_a_column_split_without_test_is_a_warning() -> None:
    spec = SplitSpec(kind="column", column="c")
    assert (
        "ask for 'holdout' by name" in assign_split(spec, list("abc"), column=["train", "val", "holdout"]).warnings[0]
    )
    assert "nothing can be judged" in assign_split(spec, list("ab"), column=["train", "tuning"]).warnings[0]


def test_new_patients_are_one_evaluation_set_unless_a_column_says_otherwise() -> None:
    subject = ["a", "a", "b", "c"]
    for spec in (SplitSpec(), SplitSpec(kind="environment", holdout="west"), SplitSpec(kind="time", column="year")):
        assert assign_new(spec, subject).split == ["new"] * 4
    by_column = SplitSpec(kind="column", column="set")
    absent = assign_new(by_column, subject)
    assert absent.split == ["new"] * 4
    assert absent.notes == ["no column 'set': all patients are one evaluation set, 'new'"]
    named = assign_new(by_column, subject, ["2019", None, None, "2020"])
    assert named.split == ["2019", "2019", "new", "2020"]  # a subject's patients stay together
    assert "2 patients have no value in the split column 'set'" in named.notes[0]
    with pytest.raises(InputError, match="1 subjects are in more than one split: 'a' in 2019 and 2020"):
        assign_new(by_column, subject, ["2019", "2020", None, None])


def test_times_that_order_nothing_are_refused_or_told() -> None:
    spec, ids = SplitSpec(kind="time", column="t"), [f"s{k}" for k in range(10)]
    with pytest.raises(InputError, match="dates with the year last"):
        assign_split(spec, ids, column=["31122019", "01022020"] * 5)
    assert assign_split(spec, ids, column=[f"2020{k % 9 + 1:02d}01" for k in range(10)]).split  # in the order of time
    years = assign_split(spec, ids, column=["98", "99", "03", "04", "05", "06", "07", "08", "09", "10"])
    assert any("years of two digits? 98 counts as later" in text for text in years.warnings)
    days = assign_split(spec, ids, column=[str(10 * k) for k in range(10)])
    assert not any("two digits" in text for text in days.warnings)
