"""The adversary on declared suspects: what it reads, given the class too, and what is missing."""

from __future__ import annotations

import math

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.dependence import critic_step
from tests.nn.dependence.gaussian_codes import build


def fitted(draw, levels, steps: int = 150):
    adversary = build("grl", 2, 2, num_suspects=levels)
    optimizer = torch.optim.Adam(adversary.critic_parameters(), lr=1e-2)
    for _ in range(steps):
        code, condition, suspects = draw(256)
        critic_step(adversary, optimizer, code, code, condition, suspects)
    return adversary.eval()


def test_what_is_written_in_the_code_is_read_and_noise_is_not():
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        site, era = (torch.randint(0, levels, (n,), generator=generator) for levels in (3, 2))
        code = torch.randn(n, 2, generator=generator)
        code[:, 0] += 8 * site  # the site is plain to see, the era is not there
        return code, None, torch.stack([site, era], dim=1)

    adversary = fitted(draw, (3, 2))
    code, _, suspects = draw(4000)
    assert adversary(code, code, None, suspects).item() == pytest.approx(math.log(3) / 2, abs=0.02)
    hidden = torch.stack([torch.full((4000,), -1), suspects[:, 1]], dim=1)
    assert adversary(code, code, None, hidden).item() == pytest.approx(0, abs=0.02)
    hidden = torch.stack([suspects[:, 0], torch.full((4000,), -1)], dim=1)
    assert adversary(code, code, None, hidden).item() == pytest.approx(math.log(3), abs=0.03)


def test_given_the_class_what_the_class_says_is_no_longer_read():
    generator = torch.Generator().manual_seed(0)

    def draw(n: int, given: bool = True):
        y = torch.randint(0, 2, (n,), generator=generator)
        site = torch.where(torch.rand(n, generator=generator) < 0.9, y, 1 - y)
        code = torch.randn(n, 2, generator=generator) + 6 * y.unsqueeze(1)  # the code knows the class alone
        return code, y if given else None, site

    code, y, site = draw(4000)
    assert fitted(draw, (2,))(code, code, y, site).item() == pytest.approx(0, abs=0.02)
    readable = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    adversary = fitted(lambda n: draw(n, given=False), (2,))
    assert adversary(code, code, None, site).item() == pytest.approx(readable, abs=0.03)


def test_missing_and_undeclared_levels_take_no_part():
    adversary = build("grl", 2, 2, num_suspects=(3,)).eval()
    code = torch.randn(12, 2, generator=torch.Generator().manual_seed(0))
    site = torch.tensor([0, 1, 2, 0, 1, 2, -1, -1, -1, 3, 99, -5])
    for each in (adversary, adversary.critic_loss):
        torch.testing.assert_close(each(code, code, None, site), each(code[:6], code[:6], None, site[:6]))


@pytest.mark.parametrize("known", [0, 2])
def test_too_few_known_rows_are_zero_with_a_graph(known):
    adversary = build("grl", 2, 2, num_suspects=(3, 2))
    code = torch.randn(12, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    suspects = torch.full((12, 2), -1)
    suspects[:known] = 1
    loss, value = adversary.critic_loss(code, code, None, suspects), adversary(code, code, None, suspects)
    assert loss.item() == value.item() == 0
    loss.backward()
    value.backward()
    assert not code.grad.any()
    assert not any(each.grad.any() for each in adversary.critic_parameters())


def test_one_suspect_may_be_a_vector_or_a_column():
    adversary = build("grl", 2, 2, num_suspects=(3,)).eval()
    code, site = torch.randn(9, 2, generator=torch.Generator().manual_seed(0)), torch.arange(9) % 3
    torch.testing.assert_close(adversary(code, code, None, site), adversary(code, code, None, site.unsqueeze(1)))


def test_a_constant_suspect_has_nothing_to_read():
    adversary = build("grl", 2, 2, num_suspects=(1,)).eval()
    code = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    assert adversary(code, code, None, torch.zeros(9, dtype=torch.int64)).item() == 0


def test_messages():
    with pytest.raises(InputError, match=r"number of levels of each, got \[\]; declare suspects"):
        build("grl", 2, 2)
    adversary, code = build("grl", 2, 2, num_suspects=(3, 2)), torch.zeros(9, 2)
    with pytest.raises(InputError, match=r"pass suspects as int64 \[9, 2\]"):
        adversary(code, code)
    with pytest.raises(InputError, match=r"pass suspects"):
        adversary.critic_loss(code, code)
    with pytest.raises(InputError, match=r"suspects of shape \[9, 2\], got \[9\]"):
        adversary(code, code, None, torch.zeros(9, dtype=torch.int64))
