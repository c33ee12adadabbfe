"""Evaluation: one protocol for any transformer, and tables of the results."""

from skcoral.evaluation.blocks import JoinBlocks
from skcoral.evaluation.comparison import compare
from skcoral.evaluation.probes import LinearProbe, RidgeProbe
from skcoral.evaluation.protocol import evaluate
from skcoral.evaluation.records import summarize
from skcoral.evaluation.tables import format_table
from skcoral.evaluation.tasks import draw_labels
from skcoral.evaluation.views import MultiviewAdapter

__all__ = [
    "JoinBlocks",
    "LinearProbe",
    "MultiviewAdapter",
    "RidgeProbe",
    "compare",
    "draw_labels",
    "evaluate",
    "format_table",
    "summarize",
]
