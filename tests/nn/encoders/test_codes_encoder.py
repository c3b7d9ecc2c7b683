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
