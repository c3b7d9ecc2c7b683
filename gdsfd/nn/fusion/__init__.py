"""Parts that learners share: grids of tokens with absent ones masked, attention, linear maps per modality."""

from gdsfd.nn.fusion.attention import Attention, TransformerBlock
from gdsfd.nn.fusion.masked import masked_grid, masked_mean, masked_softmax
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.nn.fusion.subsets import proper_subset
from gdsfd.nn.fusion.token_expander import TokenExpander, narrow_width

__all__ = [
    "Attention",
    "ModalityLinear",
    "RowLinear",
    "TokenExpander",
    "TransformerBlock",
    "masked_grid",
    "masked_mean",
    "masked_softmax",
    "narrow_width",
    "proper_subset",
]
