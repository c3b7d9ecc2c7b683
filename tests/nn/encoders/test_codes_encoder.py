"""Codes: a scaled sum of embeddings, and the features that it is of."""

from __future__ import annotations

import numpy as np
import torch

from gdsfd.cohort.schema import CODE_RARE, CODE_UNNAMED, ModalityFields
from gdsfd.nn.encoders import CodesEncoder


def test_codes_are_the_scaled_sum_of_their_embeddings() -> None:
    fields = ModalityFields("d", "codes", codes=("a", "b", "c"), code_counts=(9, 9, 9))
    encoder = CodesEncoder(fields, 4).eval()
    with torch.no_grad():
        encoder.token.relevance.copy_(torch.tensor([0.1, 0.2, 0.5, 1.0, 0.3, 0.7]))
        encoder.token.spread.copy_(torch.tensor([0.1, 0.3, 0.5, 0.4, 0.3, 0.9]))
        encoder.token.center.copy_(torch.full((6,), 0.4))
    codes = {"run_ptr": torch.tensor([0, 2, 2, 5]), "code": torch.tensor([CODE_RARE, 2, CODE_UNNAMED, 3, 4])}
    bag = []
    for members in ([CODE_RARE, 2], [], [CODE_UNNAMED, 3, 4]):
        count = torch.tensor([[float(len(members))]])
        weight = encoder.token.linear.weight.t()
        scale = encoder.token.relevance / encoder.token.spread.clamp(min=0.2)
        total = sum((weight[member] * scale[member] for member in members), torch.zeros(4))
        scaled = (
            (torch.log1p(count) - encoder.token.center[-1]) / encoder.token.spread[-1] * encoder.token.relevance[-1]
        )
        bag.append(total + scaled[0] * weight[-1] + encoder.token.linear.bias)
    torch.testing.assert_close(encoder(codes), encoder.out(torch.stack(bag)))


def test_codes_features_are_indicators_and_the_log_count() -> None:
    encoder = CodesEncoder(ModalityFields("d", "codes", codes=("a",), code_counts=(9,)), 4)
    features = encoder.features({"run_ptr": torch.tensor([0, 2, 2]), "code": torch.tensor([CODE_RARE, 2])}).to_dense()
    expected = [[1.0, 0.0, 1.0, float(np.log(3))], [0.0] * 4]
    np.testing.assert_allclose(features.numpy(), expected, rtol=1e-6)


def test_in_training_a_code_is_dropped_or_counts_for_the_dropped() -> None:
    """With p = 3/4 what is left counts fourfold; the count and the bias stay."""
    fields = ModalityFields("d", "codes", codes=("a", "b"), code_counts=(9, 9))
    encoder = CodesEncoder(fields, 3, dropout=0.75)
    encoder.out = torch.nn.Identity()
    codes = {"run_ptr": torch.arange(401), "code": torch.full((400,), 2)}
    plain = encoder.eval()(codes)[0].detach()
    one_code = (
        plain - encoder(codes | {"run_ptr": torch.zeros(401, dtype=torch.long)[:2], "code": codes["code"][:0]})[0]
    )
    without_count = torch.log1p(torch.tensor(1.0)) * encoder.token.linear.weight[:, -1]
    share = (one_code - without_count).detach()  # what one code adds, without its part in the count
    torch.manual_seed(0)
    found = encoder.train()(codes).detach()
    left = (found - (plain - share)) / share
    assert torch.allclose(left, left.round(), atol=1e-4)
    assert set(left[:, 0].round().tolist()) == {0.0, 4.0}
    assert abs(float((left[:, 0] > 2).float().mean()) - 0.25) < 4 * (0.1875 / 400) ** 0.5
