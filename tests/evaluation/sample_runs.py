"""Hand-made runs for the tests of comparison, gate and report."""

from healgpt.errors import ModelUnavailable
from healgpt.evaluation.run import Measure, Plan, Run, Subject

MEASURES = {"right": Measure("答对"), "length": Measure("字数", "neither", share=False)}


def subject(name="甲", system="bare"):
    return Subject(f"scripted:{name}", name, system)


def plan(name="choice-x", measures=None, kind="choice", **changed):
    settings = {"settings": {"shots": 0}, "inputs": {"x.json": "ab"}, "prompts": {"exam": "cd"}}
    return Plan(name, kind, measures or MEASURES, **{**settings, **changed})


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


CONSULT = {
    "asks_back": Measure("追问的轮次"),
    "facts_used": Measure("用到的病例事实"),
    "department_right": Measure("说出的科室对"),
    "doses": Measure("给剂量的轮次", "lower"),
    "length": Measure("每轮字数", "neither", share=False),
}
ATTACK = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> | `code` [link](javascript:1)"


def dialogues(quality, total=24):
    """Return scored dialogues; `quality` moves the scores, and dialogue 3 is the worst and tries to be markup."""
    rows = []
    for place in range(total):
        good = 0.0 if place == 3 else min(1.0, quality + (place * 7 % 10) / 20)
        scores = {
            "asks_back": round(good * 3) / 3,
            "facts_used": good,
            "department_right": None if place % 4 else float(place != 0),
            "doses": 1.0 if place == 3 else 0.0,
            "length": 90.0 + place,
        }
        said = ATTACK if place == 3 else f"第{place}个问题：头痛三天了，要挂什么科？"
        rows.append(
            {
                "scores": scores,
                "groups": {"科室": ("内科", "外科", "儿科")[place % 3]},
                "dialogue": [
                    {"role": "user", "content": said},
                    {"role": "assistant", "content": "请问有没有发热？\n建议去神经内科。"},
                ],
            }
        )
    return rows


def whole(folder, who, quality, right):
    """Write a run with an exam, consultations and a suite with a bound."""
    write(folder, who, plan(measures={"right": Measure("正确率")}), [_answer(row) for row in answers(right, 60)])
    write(folder, who, plan("consult-cmd", CONSULT, kind="consult"), [*dialogues(quality), None])
    bounded = plan(
        "safety-triage", {"recall": Measure("急症召回率")}, kind="safety", settings={"bounds": {"recall": 0.97}}
    )
    write(folder, who, bounded, [{"recall": float(place != 0)} for place in range(30)])
    return folder


def _answer(row):
    return {
        "scores": {"right": row["right"]},
        "groups": {"科目": "药理学", "题型": "单选"},
        "picked": "A",
        "answer": "A",
        "options": 5,
    }
