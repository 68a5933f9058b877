"""The transcript that is sent to the model: append-only, and never longer than its window.

Rendering is a pure function of the conversation: the system prompt comes first and never changes, each user
turn carries the evidence found for it, and past turns render the same way for ever. So the wire transcript of
one turn is a prefix of the next one's, and the engine's key-value cache holds all but the new turn. When the
window is full, the oldest half of the rounds goes at once, never one at a time: each drop costs one full
prefill, so drops must be rare.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from healgpt import prompts
from healgpt.errors import DataError
from healgpt.schema import Fact, Message

# tokens a chat template adds around one message; Qwen2 needs 5, Baichuan 1
TEMPLATE_TOKENS = 6


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a user turn is answered with: facts to cite, and the instruction of the turn (a prompt's text).

    `facts` are written into the turn for a model that can make use of them; `told` are those that the reader gets.
    """

    facts: tuple[Fact, ...] = ()
    task: str = ""
    told: tuple[Fact, ...] = ()


def clean(text: str) -> str:
    """Return `text` as a model may read it: NFC, no control characters but newline and tab, no lone surrogates.

    Raises `DataError` when no letter and no digit is left.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    whole = unicodedata.normalize("NFC", whole.replace("\r\n", "\n").replace("\r", "\n"))
    kept = "".join(sign for sign in whole if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs", "Co"))
    kept = kept.replace("\ufffd", "").strip()
    if not any(unicodedata.category(sign)[0] in "LN" for sign in kept):
        raise DataError("没有读到文字内容。请用文字描述您的不适或问题。")
    return kept


def render_turn(question: str, evidence: Evidence) -> str:
    """Return the text of one user turn: the question, the numbered facts, and what to do last, where models heed it."""
    parts = [question]
    if evidence.facts:
        lines = (f"[{n}] {fact.subject}·{fact.predicate}：{fact.object}" for n, fact in enumerate(evidence.facts, 1))
        parts.append(prompts.render("facts", facts="\n".join(lines)))
    if evidence.task:
        parts.append(evidence.task)
    return "\n\n".join(parts)


def render(messages: Sequence[Message], evidence_of: Callable[[Sequence[Message]], Evidence]) -> list[Message]:
    """Return the wire form of `messages` without the system prompt.

    `evidence_of` gets the conversation up to and including a user turn and must be deterministic. Raises
    `DataError` unless turns alternate from user to user.
    """
    wire: list[Message] = []
    for index, message in enumerate(messages):
        if message["role"] != ("user", "assistant")[index % 2]:
            raise DataError(f"第 {index + 1} 条消息的角色是 {message['role']}；对话应由用户开始，用户与医生轮流发言。")
        if message["role"] == "user":
            evidence = evidence_of(messages[: index + 1])
            wire.append({"role": "user", "content": render_turn(clean(message["content"]), evidence)})
        else:
            wire.append({"role": "assistant", "content": message["content"]})
    if len(wire) % 2 == 0:
        raise DataError("对话的最后一条消息应来自用户。")
    return wire


def fit(wire: Sequence[Message], budget: int, count: Callable[[str], int]) -> list[Message]:
    """Return the newest whole rounds of `wire` that fit in `budget` tokens, the last user turn always among them.

    The drops that earlier turns made are replayed, so that a transcript grows by appending until the next
    drop. Raises `DataError` when the last turn alone does not fit.
    """
    sizes = [count(message["content"]) + TEMPLATE_TOKENS for message in wire]
    start = 0
    for last in range(0, len(wire), 2):
        while sum(sizes[start : last + 1]) > budget and start < last:
            rounds = (last - start) // 2
            start += 2 * max(1, (rounds + 1) // 2)
    if sum(sizes[start:]) > budget:
        raise DataError(
            f"这段话太长（约 {sizes[-1]} 个词元），模型一次最多能读 {budget} 个。"
            "请只留下与不适有关的内容，或用更大的 --context。如果情况紧急，不要等回答，请立即拨打 120。"
        )
    return list(wire[start:])
