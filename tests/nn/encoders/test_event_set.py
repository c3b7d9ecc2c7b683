"""The pool of events against a loop over observations."""

from __future__ import annotations

import torch
from torch.nn.functional import gelu

from gdsfd.nn.encoders.event_set import EventSet


def test_it_is_the_weighted_mean_of_single_events() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        view = EventSet(3, 10, 4)
        value = torch.randn(7)
    owner, step = torch.tensor([0, 0, 0, 0, 2, 2, 2]), torch.tensor([0, 1, 9, 9, 3, 3, 4])
    item = torch.tensor([0, 0, 1, 2, 2, 1, 1])
    found = view.read(value, owner, step, item, 3)
    for number in range(3):
        events = [
            gelu(view.value(value[[j]]) + view.time(step[[j]] / 10.0) + view.item(item[j]))
            for j in range(7)
            if owner[j] == number
        ]
        pooled = torch.zeros(4)
        if events:
            share = torch.cat([view.weight(each) for each in events]).softmax(0)
            pooled = sum((w * view.mix(each) for w, each in zip(share, events)), pooled)
        torch.testing.assert_close(found[number], view.out(pooled))
