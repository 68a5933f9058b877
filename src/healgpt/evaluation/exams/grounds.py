"""The facts a Doctor would find for an exam question that someone pastes into a consultation."""

from functools import lru_cache

from healgpt.consult.grounding import finder, open_knowledge
from healgpt.errors import ConfigError
from healgpt.evaluation.exams.prompt import Find, pasted
from healgpt.evaluation.exams.question import Question
from healgpt.schema import ChatModel, Fact


def open_grounds(model: ChatModel) -> Find:
    """Return the function that finds the facts of a question, options included, in the user's graph.

    Retrieval, its token budget and its intents are those of a consultation; only the interview, which would answer a
    complaint with questions instead of facts, is left out. Raises `ConfigError` where no graph has been built: without
    one, the Doctor's run would be a bare run under another name.
    """
    knowledge = open_knowledge()
    if knowledge is None:
        raise ConfigError("没有本地知识图谱，不能评测 doctor。请先运行 healgpt pull cmekg，或用 --system bare。")
    search = finder(knowledge, model.count_tokens)

    @lru_cache(maxsize=8192)
    def find(question: Question) -> tuple[Fact, ...]:
        return search([{"role": "user", "content": pasted(question)}])

    return find
