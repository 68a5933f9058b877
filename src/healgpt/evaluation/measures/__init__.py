"""Measures of a consultation that need no judge: `score_dialogue` gives every one of `MEASURES` for a dialogue."""

from healgpt.evaluation.measures.case import Case, PlainCase
from healgpt.evaluation.measures.dialogue import MEASURES, score_dialogue
from healgpt.evaluation.measures.ground import digests

__all__ = ["MEASURES", "Case", "PlainCase", "digests", "score_dialogue"]
