"""A model as judge of consultations, and what its verdicts are worth.

`source` reads the dialogues, `judge` asks a model within a budget and remembers its verdicts, `verdicts` reads the
answers strictly, `modes` scores dialogues by criteria, rubric or in pairs, `published` reads the recorded GPT-4
scores, `calibration` compares a judge with them.
"""
