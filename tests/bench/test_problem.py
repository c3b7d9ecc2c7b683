"""Sizes and random graphs."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.problem import Shape, make_problem, random_layout, shapes_of
from gdsfd.errors import InputError


def test_shapes_are_all_combinations():
    shapes = list(shapes_of(patients=[10, 20], density=[0.1, 0.9], layers=None))
    assert [(shape.patients, shape.density) for shape in shapes] == [(10, 0.1), (10, 0.9), (20, 0.1), (20, 0.9)]
    assert {shape.layers for shape in shapes} == {2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patients": 0}, "--patients: expected at least 1, got 0"),
        ({"density": 0.0}, "--density: expected a number above 0"),
        ({"density": 1.5}, "--density: expected a number above 0"),
        ({"dtype": "float23"}, "--dtype: unknown 'float23'. Did you mean 'float32'"),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        Shape(**wrong)


def test_smaller_keeps_an_edge_tensor_below_the_size():
    shape = Shape(20_000, 5, 0.6, 128).smaller(2e6, "float64")
    assert 0.99 * 2e6 < shape.edges * shape.channels <= 2e6
    assert (shape.modalities, shape.dtype) == (5, "float64")
    assert Shape(10, 5).smaller(2e6) == Shape(10, 5)
    assert Shape(10, 512, 1.0, 512).smaller(1).patients == 1


def test_every_pair_has_an_edge_with_the_same_probability():
    layout = random_layout(Shape(5000, 4, 0.3), torch.Generator().manual_seed(0))
    share = layout.modality_degree / 5000
    assert ((share - 0.3).abs() < 0.03).all()
    pairs = layout.modality * 5000 + layout.patient
    assert (pairs[1:] > pairs[:-1]).all()  # sorted, no edge twice
    correlation = layout.presence.double().T.corrcoef()
    assert (correlation - torch.eye(4)).abs().max() < 0.06


def test_a_problem_is_a_function_of_shape_and_seed():
    first, second, other = (make_problem(Shape(50, 3, channels=8), seed) for seed in (1, 1, 2))
    assert torch.equal(first.tokens, second.tokens)
    assert first.tokens.shape != other.tokens.shape or not torch.equal(first.tokens, other.tokens)
    assert first.tokens.requires_grad
    assert first.patient_grad.shape == (50, 8)
    double = make_problem(Shape(50, 3, channels=8, dtype="float64"), 1)
    assert torch.allclose(double.tokens.float(), first.tokens)


def test_without_backward_there_are_no_gradients_to_come():
    problem = make_problem(Shape(50, 3, channels=8), 0, backward=False)
    assert not problem.tokens.requires_grad
    assert problem.patient_grad.numel() == 0
