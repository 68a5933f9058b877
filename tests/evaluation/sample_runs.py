"""Hand-made runs for the tests of comparison, gate and report."""

from healgpt.errors import ModelUnavailable
from healgpt.evaluation.run import Measure, Plan, Run, Subject

MEASURES = {"right": Measure("答对"), "length": Measure("字数", "neither", share=False)}


def subject(name="甲", system="bare"):
    return Subject(f"scripted:{name}", name, system)


def plan(name="choice-x", measures=None, **changed):
    settings = {"settings": {"shots": 0}, "inputs": {"x.json": "ab"}, "prompts": {"exam": "cd"}}
    return Plan(name, "choice", measures or MEASURES, **{**settings, **changed})


def write(folder, who, made, rows):
    """Write a run of one task; `rows` are the scores of each item, None for one that fails, or whole items."""

    def score(one):
        row = rows[int(one)]
        if row is None:
            raise ModelUnavailable("服务器没有响应。请重试。")
        return row if "scores" in row else {"scores": row, "groups": {"科室": ("内科", "外科")[int(one) % 2]}}

    Run(folder, who).work(made, [str(place) for place in range(len(rows))], score)
    return folder


def answers(right, total=200, length=100.0):
    """Return rows where the items of `right` are right."""
    return [{"right": float(place in right), "length": length + place % 7} for place in range(total)]
