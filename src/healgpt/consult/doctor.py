"""One consultation turn: triage, retrieve, render, stream."""

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import lru_cache, partial

from healgpt import prompts
from healgpt.backends import EngineOptions, load
from healgpt.consult.citations import CitationFilter
from healgpt.consult.findings import Guide
from healgpt.consult.grounding import finder, guide, open_knowledge
from healgpt.consult.intent import FACT_TOKENS
from healgpt.consult.interview import Plan, State, acknowledgement, opening, plan, state
from healgpt.consult.limits import Gate
from healgpt.consult.telling import answers_first, told
from healgpt.consult.transcript import TEMPLATE_TOKENS, Evidence, fit, render
from healgpt.consult.triage import triage
from healgpt.errors import DataError
from healgpt.knowledge.retrieval import fitting
from healgpt.schema import Alarm, ChatModel, Delta, Fact, Message, Reply, Sampling

# the model's part of a turn that asks back
_SENTENCE_TOKENS = 60
_SHORTEST_SENTENCE = 4
_DEPARTMENT = "就诊科室"
# no window holds as many characters; triage reads this much of either end
_TOO_LONG, _END = 20_000, 4_000

Triage = Callable[[Sequence[Message]], Alarm | None]
Retrieve = Callable[[Sequence[Message]], tuple[Fact, ...]]


def no_facts(messages: Sequence[Message]) -> tuple[Fact, ...]:
    """Find nothing: what a Doctor without a knowledge graph knows."""
    return ()


class Doctor:
    """A chat model that sends emergencies to hospital before its own model speaks, and answers with evidence.

    Stateless: a turn is a pure function of the conversation, so any number of conversations may share one
    Doctor. `messages` hold user and assistant turns only; the system prompt is the Doctor's own. With
    `admits_no_evidence`, an answer that no fact was found for says so at its end. A model that `reads_facts` gets them
    with the question and cites them; otherwise it answers alone and the Doctor tells them after its words.
    """

    def __init__(  # noqa: PLR0913  the seams of a turn, all but the model with a default
        self,
        model: ChatModel,
        *,
        retrieve: Retrieve = no_facts,
        triage: Triage = triage,
        system: str | None = None,
        guide: Guide | None = None,
        admits_no_evidence: bool = False,
        reads_facts: bool = True,
    ) -> None:
        self.model = model
        self.system = prompts.render("system") if system is None else system
        self._triage = triage
        self._retrieve = retrieve
        self._admits_no_evidence = admits_no_evidence
        self._reads_facts = reads_facts
        self._guide = guide
        self._plan = partial(plan, guide=guide)
        self._evidence = lru_cache(maxsize=256)(self._find)
        self._count = lru_cache(maxsize=1024)(model.count_tokens)

    @property
    def name(self) -> str:
        return self.model.name

    @property
    def window(self) -> int:
        return self.model.window

    def count_tokens(self, text: str) -> int:
        return self.model.count_tokens(text)

    def evidence(self, messages: Sequence[Message]) -> Evidence:
        """Return what the last user turn of `messages` is answered with."""
        return self._evidence(tuple((message["role"], message["content"]) for message in messages))

    def interview(self, messages: Sequence[Message]) -> State | None:
        """Return where the questions about the last complaint stand; None without a graph or a complaint."""
        return state(messages, self._guide)

    def wire(self, messages: Sequence[Message], max_tokens: int) -> list[Message]:
        """Return what the model is sent: system prompt, then the rounds that leave room for `max_tokens`."""
        room = self.window - max_tokens - self._count(self.system) - 2 * TEMPLATE_TOKENS
        if room < TEMPLATE_TOKENS:
            raise DataError(
                f"回答长度 {max_tokens} 占满了 {self.window} 个词元的窗口。请减小 --max-tokens 或增大 --context。"
            )
        return [{"role": "system", "content": self.system}, *fit(render(messages, self.evidence), room, self._count)]

    def complete(self, messages: Sequence[Message], sampling: Sampling) -> Reply:
        """Return the finished answer of one turn; see `stream`."""
        for delta in self.stream(messages, sampling):
            if delta.reply is not None:
                return delta.reply
        raise AssertionError("a stream ends with its reply")

    def stream(self, messages: Sequence[Message], sampling: Sampling) -> Generator[Delta, None, None]:
        """Yield the alarm and the facts, then the answer as it is written, then the reply.

        A first emergency is answered by its reviewed text alone: no model may soften it. An urgent alarm, or
        an emergency that an earlier turn was already told of, comes first and the model follows.
        Raises `DataError` for turns out of order, an empty or an overlong last turn.
        """
        skimmed = _skimmed(messages)
        alarm = self._triage(skimmed)
        known = alarm is not None and _same(alarm, self._triage(skimmed[:-2]) if len(messages) > 2 else None)
        if alarm is not None and alarm.level == "emergency" and not known:
            yield Delta(alarm=alarm)
            yield Delta(text=alarm.text)
            yield Delta(reply=Reply(text=alarm.text, model="triage", alarm=alarm))
            return
        wire = self.wire(messages, sampling.max_tokens)
        made, evidence = self._plan(messages), self.evidence(messages)
        given = evidence.facts
        # beside an alarm nothing is said of harmless causes
        lead = made.lead if alarm is None else ""
        facts = made.facts if lead else evidence.told
        yield Delta(alarm=alarm, facts=facts)
        first_words, questions = _first_words(alarm, known), _questions(made, lead)
        last_words = questions or self._closing(messages, alarmed=alarm is not None)
        if first_words:
            yield Delta(text=first_words)
        citations, gate, shown = CitationFilter(len(given)), Gate(given, acknowledging=bool(questions)), first_words
        limited = _limited(sampling if self._reads_facts else _own_words_only(sampling), asks=bool(questions))
        with closing(self.model.stream(wire, limited)) as deltas:
            for delta in deltas:
                text = gate.feed(citations.feed(delta.text) if delta.reply is None else citations.close())
                if delta.reply is not None:
                    text += gate.finish()
                    text = _ended(text, shown, first_words) if questions else text
                    text += "" if _said_already(last_words, shown + text) else last_words
                shown += text
                if text:
                    yield Delta(text=text)
                if delta.reply is not None:
                    self._prepare(wire, shown, written=delta.reply.text)
                    yield Delta(reply=replace(delta.reply, text=shown, alarm=alarm, facts=facts))

    def _prepare(self, wire: Sequence[Message], shown: str, *, written: str) -> None:
        """Have the engine read what the Doctor added to the model's words while the user reads the answer."""
        prepare = getattr(self.model, "prepare", None)
        if prepare is not None and shown != written:
            prepare([*wire, {"role": "assistant", "content": shown}])

    def _find(self, turns: tuple[tuple[str, str], ...]) -> Evidence:
        messages = [_message(role, content) for role, content in turns]
        made = self._plan(messages)
        task = made.task
        words = "" if task == "talk" else prompts.render(f"task_{task}")
        facts = () if task in ("ask", "talk") else self._retrieve(messages)
        if made.likely and self._triage(messages) is None:
            hint = _hint(made)
            # advice names no drugs; "没吃药" in an answer is no question about them
            facts = tuple(dict.fromkeys([*made.facts, *(fact for fact in facts if fact.predicate != "治疗药物")]))
            facts = fitting(facts, self._count, budget=max(0, FACT_TOKENS - self._count(hint)))
            words = f"{hint}\n{words}"
        given = facts if self._reads_facts else ()
        if self._lacks_evidence(task, given):
            words += prompts.render("task_no_evidence")
        return Evidence(given, words, told=facts if self._reads_facts else answers_first(facts))

    def _lacks_evidence(self, task: str, facts: tuple[Fact, ...]) -> bool:
        """Tell whether to say that a turn looked for facts in vain; a Doctor without a graph never looked."""
        return self._admits_no_evidence and task in ("advise", "inform") and not facts

    def _closing(self, messages: Sequence[Message], *, alarmed: bool) -> str:
        """Return what the Doctor says after the model: the facts where it tells them, or that there are none."""
        task, facts = self._plan(messages).task, self.evidence(messages).told
        # a department is no evidence for anything else that was asked
        beside = self._admits_no_evidence and task == "inform" and "科" not in messages[-1]["content"]
        beside = beside and all(fact.predicate == _DEPARTMENT for fact in facts)
        parts = [] if self._reads_facts or alarmed or task not in ("advise", "inform") else [told(facts)]
        if beside or self._lacks_evidence(task, facts):
            parts.append(prompts.render("no_evidence"))
        return "".join(f"\n\n{part}" for part in parts if part)

    def warm(self) -> None:
        """Load the rules, and the system prompt into the engine's cache: a first turn prefills only its own tokens."""
        self._triage([_message("user", "您好")])
        warm = getattr(self.model, "warm", None)
        if warm is not None:
            warm(self.system)

    def close(self) -> None:
        """Free the engine."""
        close = getattr(self.model, "close", None)
        if close is not None:
            close()


def open_doctor(spec: str, options: EngineOptions | None = None) -> Doctor:
    """Load the model that `spec` names and return a Doctor over it, its system prompt cached.

    Answers are grounded in the user's graph where it has been built; it opens while the model loads.
    Raises `ModelError` or `ConfigError` as `backends.load` does.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        opening_graph = pool.submit(open_knowledge)
        opening_guide = pool.submit(lambda: guide(found) if (found := opening_graph.result()) else None)
        model = load(spec, options or EngineOptions())
        knowledge = opening_graph.result()
        asking = opening_guide.result()
    if knowledge is None:
        doctor = Doctor(model)
    else:
        retrieve = finder(knowledge, model.count_tokens, partial(plan, guide=asking))
        # models behind an address are taken to be large enough to use facts; what runs here is not (docs/lab-book.md)
        reads = spec.startswith(("http://", "https://"))
        doctor = Doctor(model, retrieve=retrieve, guide=asking, admits_no_evidence=True, reads_facts=reads)
    doctor.warm()
    return doctor


def _message(role: str, content: str) -> Message:
    return {"role": "user" if role == "user" else "assistant", "content": content}


def _hint(made: Plan) -> str:
    listed = (f"{one.name}（{'，'.join(filter(None, (one.words, one.department)))}）" for one in made.likely)
    return prompts.render("likely", likely="、".join(listed))


def _questions(made: Plan, lead: str) -> str:
    if not made.questions:
        return ""
    listed = "\n".join(f"{number}. {question}" for number, question in enumerate(made.questions, start=1))
    return f"\n\n{opening()}\n{listed}" + (f"\n\n{lead}" if lead else "")


def _skimmed(messages: Sequence[Message]) -> list[Message]:
    """Blank the middle of turns that no window holds: triage reads both ends, at the same offsets.

    An emergency in the middle is not seen; the refusal that follows tells to call 120.
    """
    return [
        {**message, "content": f"{text[:_END]}{chr(10) * (len(text) - 2 * _END)}{text[-_END:]}"}
        if len(text := message["content"]) > _TOO_LONG
        else message
        for message in messages
    ]


def _said_already(last_words: str, said: str) -> bool:
    """Tell whether a model that read the closing words in earlier turns wrote them itself."""
    return bool(last_words) and last_words.strip(" \n（")[:16] in said


def _ended(text: str, shown: str, first_words: str) -> str:
    """Return `text` so that the model's sentence before the questions is there and has its full stop."""
    said = (shown + text).removeprefix(first_words).strip()
    if len(said) < _SHORTEST_SENTENCE:
        return acknowledgement() if shown == first_words else text + acknowledgement()
    return text if said[-1] in "。！!～~" else text.rstrip("，、 ") + "。"


def _limited(sampling: Sampling, *, asks: bool) -> Sampling:
    """Return how the model's own words are drawn: one sentence where the Doctor's questions follow."""
    if not asks:
        return sampling
    return replace(sampling, max_tokens=min(sampling.max_tokens, _SENTENCE_TOKENS), stop=(*sampling.stop, "\n"))


def _own_words_only(sampling: Sampling) -> Sampling:
    """Return `sampling` with an end where a model begins to copy what the Doctor added to its earlier answers."""
    added = tuple(prompts.source(name)[:4] for name in ("told", "no_evidence"))
    return replace(sampling, stop=(*sampling.stop, *added))


def _same(alarm: Alarm, earlier: Alarm | None) -> bool:
    return earlier is not None and (earlier.kind, earlier.level) == (alarm.kind, alarm.level)


def _first_words(alarm: Alarm | None, known: bool) -> str:
    if alarm is None:
        return ""
    if not known:
        return alarm.text + "\n\n"
    if alarm.level == "emergency":
        return prompts.render("alarm_reminder", title=alarm.title, call=alarm.call) + "\n\n"
    return ""
