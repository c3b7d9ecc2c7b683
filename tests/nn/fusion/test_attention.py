"""Attention against torch's own, with masks; and what it comes to with one key."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from gdsfd.nn.fusion import Attention, ModalityLinear, RowLinear, TransformerBlock
from gdsfd.nn.fusion.attention import together

MASK = torch.tensor([[True, True, False], [False, True, True]])


def torchs(made: Attention) -> nn.MultiheadAttention:
    same = nn.MultiheadAttention(8, made.heads, batch_first=True)
    with torch.no_grad():
        same.in_proj_weight.copy_(torch.cat([made.query.weight, made.key.weight, made.value.weight]))
        same.in_proj_bias.copy_(torch.cat([made.query.bias, torch.zeros(8), made.value.bias]))
        same.out_proj.load_state_dict(made.out.state_dict())
    return same


def test_it_is_torchs_attention_with_a_key_mask() -> None:
    made, query, keys = Attention(8, 4), torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    expected, _ = torchs(made)(query, keys, keys, key_padding_mask=~MASK)
    torch.testing.assert_close(made(query, keys, MASK.unsqueeze(1)), expected)


def test_keys_that_are_masked_do_not_matter_and_without_any_key_there_is_the_bias() -> None:
    made, query, keys = Attention(8), torch.randn(2, 5, 8), torch.randn(2, 3, 8)
    other = torch.where(MASK.unsqueeze(2), keys, 1e4)
    assert torch.equal(made(query, keys, MASK.unsqueeze(1)), made(query, other, MASK.unsqueeze(1)))
    nothing = made(query, keys, torch.zeros(2, 1, 3, dtype=torch.bool))
    assert torch.equal(nothing, made.out.bias.expand_as(nothing))


def test_with_one_key_it_is_a_linear_map_whatever_the_query() -> None:
    made, keys, there = Attention(8), torch.randn(2, 1, 8), torch.ones(2, 1, 1, dtype=torch.bool)
    first, second = (made(torch.randn(2, 4, 8), keys, there) for _ in range(2))
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first[:, :1], made.out(made.value(keys)))


def test_with_a_linear_map_per_modality_each_has_its_own_attention() -> None:
    made = Attention(8, 2, partial(ModalityLinear, 3))
    values, mask = torch.randn(4, 3, 5, 8), torch.rand(4, 3, 1, 5) < 0.7
    found = made(values, values, mask)
    for k in range(3):
        alone = Attention(8, 2)
        for part in ("query", "key", "value", "out"):
            mine, theirs = getattr(alone, part), getattr(made, part)
            mine.weight.data = theirs.weight.data[k]
            if part != "key":
                mine.bias.data = theirs.bias.data[k]
        torch.testing.assert_close(found[:, k], alone(values[:, k], values[:, k], mask[:, k]))


def test_heads_divide_the_width_and_sharpness_multiplies_scores() -> None:
    assert Attention(6, 4).heads == 2
    plain, sharp = Attention(8), Attention(8, sharpness=2.0)
    sharp.load_state_dict(plain.state_dict())
    plain.query.weight.data *= 2
    plain.query.bias.data *= 2
    query, keys, mask = torch.randn(1, 2, 8), torch.randn(1, 3, 8), torch.ones(1, 1, 3, dtype=torch.bool)
    torch.testing.assert_close(sharp(query, keys, mask), plain(query, keys, mask))


def test_a_block_keeps_its_input() -> None:
    """Flex-MoE's block adds its attention's output to itself instead, and loses it."""
    block, values, mask = TransformerBlock(8), torch.randn(2, 3, 8), MASK.unsqueeze(1)
    normed = block.norm(values)
    first = values + block.attention(normed, normed, mask)
    torch.testing.assert_close(block(values, mask), first + block.feed(first))
    for each in (block.attention.out, block.feed[3]):
        nn.init.zeros_(each.weight)
        nn.init.zeros_(each.bias)
    assert torch.equal(block(values, mask), values)
    assert TransformerBlock(8, expansion=0).feed is None


def test_maps_together_are_the_maps_one_by_one() -> None:
    values = torch.randn(4, 3, 5, 8)
    for make in (RowLinear, partial(ModalityLinear, 3)):
        maps = [make(8, 6, bias=True), make(8, 2, bias=False), make(8, 3, bias=True)]
        for found, each in zip(together(maps, values), maps, strict=True):
            torch.testing.assert_close(found, each(values))


def test_without_a_mask_all_is_read_and_some_rows_are_those_of_all() -> None:
    block, values, every = TransformerBlock(8), torch.randn(2, 5, 8), torch.ones(2, 5, 5, dtype=torch.bool)
    expected = block(values, every)
    torch.testing.assert_close(block(values), expected)
    mask = torch.rand(2, 5, 5) < 0.6
    torch.testing.assert_close(block(values, mask[:, 1:3], slice(1, 3)), block(values, mask)[:, 1:3])
