"""Emergencies found by rules before any model speaks.

`kinds.toml` holds the advice, `rules.toml` the conditions, `concepts.toml` the wordings and `context.toml` the cues
of negation, past, knowledge and fiction: a clinician reads and changes these four, not the code.
"""

from healgpt.consult.triage.decision import Finding, Reason, explain, triage

__all__ = ["Finding", "Reason", "explain", "triage"]
