"""Message-passing layers on the patient-modality graph. One operator, one file."""

from gdsfd.nn.conv.edge_sage_conv import EdgeSAGEConv

__all__ = ["EdgeSAGEConv"]
