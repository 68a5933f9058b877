"""How a question is put to a model: one user turn, with worked examples before it as earlier turns.

What all questions share (system prompt, examples, what to do) comes first and never changes, so an engine computes it
once. Facts follow the question as in a turn of a consultation.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from healgpt import prompts
from healgpt.consult.transcript import Evidence, render_turn
from healgpt.evaluation.exams.question import Question
from healgpt.schema import Fact, Message

PROMPTS = ("exam_choice", "exam_task", "exam_task_multiple", "exam_answer")
Find = Callable[[Question], tuple[Fact, ...]]


def no_facts(question: Question) -> tuple[Fact, ...]:
    """Find nothing: what a model alone is given."""
    return ()


def pasted(question: Question) -> str:
    """Return the question and its options as someone would paste them into a consultation."""
    return f"{question.text}\n{_listed(question)}"


def turn(question: Question, facts: tuple[Fact, ...] = ()) -> str:
    """Return the user turn that asks `question`: what to do, the question, the facts, and where the answer goes."""
    task = prompts.render("exam_task_multiple" if question.multiple else "exam_task")
    asked = prompts.render("exam_choice", task=task, question=question.text, options=_listed(question))
    return render_turn(asked, Evidence(facts, prompts.render("exam_answer")))


def _listed(question: Question) -> str:
    return "\n".join(f"{letter}. {text}" for letter, text in question.options)


def opening(shots: Sequence[Question], *, system: str = "", find: Find = no_facts) -> list[Message]:
    """Return what comes before every question: the system prompt and the worked `shots` with their answers."""
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    for shot in shots:
        messages.append({"role": "user", "content": turn(shot, find(shot))})
        messages.append({"role": "assistant", "content": "".join(shot.answer)})
    return messages


def rotated(question: Question, by: int) -> Question:
    """Return the question with the text of option `i + by` under letter `i`, and its key moved along."""
    letters, size = question.letters, len(question.options)
    moved = tuple((letters[place], question.options[(place + by) % size][1]) for place in range(size))
    right = tuple(letters[place] for place in range(size) if origin(question, letters[place], by) in question.answer)
    return replace(question, options=moved, answer=right)


def origin(question: Question, letter: str, by: int) -> str:
    """Return under which letter of `question` the option stands that `rotated(question, by)` calls `letter`."""
    letters = question.letters
    return letters[(letters.index(letter) + by) % len(letters)]
