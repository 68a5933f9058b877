"""A patient played by a chat model from a case, and the checks that keep it one.

The model sees the case's facts (prompts/patient.md) and the dialogue with the roles exchanged: what it writes are the
assistant's turns there. An answer that is empty, speaks as a doctor, quotes the reference answer, states a figure that
neither case nor doctor did, or repeats itself is asked for once more; the second failure ends the dialogue with a
`ModelError`, so that a patient who gives the answer away is a failure counted, never a score. Whether every word stands
in the case is not checked: use the patient of rules where that matters.
"""

import re
from collections.abc import Sequence
from typing import Literal

from healgpt import prompts
from healgpt.errors import ModelError
from healgpt.evaluation.consultations.case import Case
from healgpt.evaluation.consultations.patient import Patient
from healgpt.schema import ChatModel, Message, Sampling

Fault = Literal["", "empty", "doctor", "reference", "invented", "repeated"]

MOST_TOKENS = 80
_ATTEMPTS = 2
# so many characters in a row from the reference, and neither from the case nor from the doctor, were read off it
_QUOTE = 8
_DOCTOR = re.compile(
    r"建议(?:您|你|患者)|(?:您|你)(?:可以|应该|需要|最好|应当)(?:先|去|多|尽快|及时|服用|考虑|注意)|根据(?:您|你)(?:的|所)?(?:描述|情况|症状|提供)|"
    r"祝(?:您|你).{0,6}(?:康复|健康)|(?:您|你)的(?:症状|情况|病情|描述)(?:可能|很可能|是|属于|提示)|作为(?:一名|您的|你的)?(?:医生|AI|人工智能|助手)|"
    r"我(?:会|可以)?(?:为|给|帮)(?:您|你)(?:开|检查|诊断|安排|制定)|请(?:您|你)?(?:告诉我|描述|提供)|(?:您|你)(?:还有|有没有|是否)(?:其他|别的)?.{0,6}"
    r"(?:症状|不适|不舒服)|可能(?:是|患有|得了).{2,20}(?:建议|需要|应)|^\s*(?:医生|大夫)[:：]"
)
_SPEAKER = re.compile(r"^\s*(?:患者|病人|我)[:：]\s*")
_REASONS = {
    "empty": "什么也没说",
    "doctor": "像医生一样说话",
    "reference": "说出了参考答案里的话",
    "invented": "说了病例里没有的数字",
    "repeated": "重复了说过的话",
}


def play(model: ChatModel, *, seed: int = 0) -> Patient:
    """Return a patient whose words `model` writes, greedy at first and with a fixed seed where it is asked again."""

    def reply(case: Case, messages: Sequence[Message]) -> str:
        wire = exchanged(case, messages)
        found: Fault = ""
        text = ""
        for attempt in range(_ATTEMPTS):
            drawn = Sampling(
                temperature=0.0 if attempt == 0 else 0.7,
                max_tokens=MOST_TOKENS,
                seed=seed + attempt,
                repeat_penalty=1.1,
            )
            text = _SPEAKER.sub("", model.complete(wire, drawn).text).strip()
            found = fault(text, case, messages)
            if not found:
                return text
        raise ModelError(
            f"扮演患者的 {model.name} 在病例 {case.id} 里{_REASONS[found]}：“{text[:40]}”。"
            "请换一个模型扮演患者，或用 --patient rules。"
        )

    return reply


def exchanged(case: Case, messages: Sequence[Message]) -> list[Message]:
    """Return the dialogue as the patient's model is sent it: the doctor's turns are the user's there."""
    listed = "\n".join(f"- {fact}" for fact in case.facts)
    wire: list[Message] = [
        {"role": "system", "content": prompts.render("patient", facts=listed)},
        {"role": "user", "content": prompts.render("patient_opening")},
    ]
    for message in messages:
        wire.append({"role": "assistant" if message["role"] == "user" else "user", "content": message["content"]})
    return wire


def fault(text: str, case: Case, messages: Sequence[Message]) -> Fault:
    """Return what makes `text` no patient's answer to `messages`; empty where it may stand.

    What the case's own facts say, or the doctor before, may be said whatever the reference says.
    """
    if not text:
        return "empty"
    if _DOCTOR.search(text):
        return "doctor"
    known = "\n".join((case.question, *case.facts, *(message["content"] for message in messages)))
    pieces = (case.reference[place : place + _QUOTE] for place in range(len(case.reference) - _QUOTE + 1))
    if any(piece in text and piece not in known for piece in pieces):
        return "reference"
    if any(number not in known for number in re.findall(r"\d+(?:\.\d+)?", text)):
        return "invented"
    if any(message["role"] == "user" and message["content"].strip() == text for message in messages):
        return "repeated"
    return ""
