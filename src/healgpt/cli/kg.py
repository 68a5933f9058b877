"""`healgpt kg`: look into the knowledge graph, add graphs to it, take facts out of it."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from healgpt import jsonl
from healgpt.errors import DataError
from healgpt.knowledge import corroboration, importers
from healgpt.knowledge import graph as graphs
from healgpt.knowledge.relations import schema
from healgpt.schema import Fact

app = typer.Typer(
    help="知识图谱：提问、统计、搜索、查看、导入、导出；认出一句话里的疾病、症状和药。",
    epilog="例子：healgpt kg ask 颈椎病要做哪些检查？ ｜ healgpt kg show 颈椎病 ｜ healgpt kg import 院内.csv",
    no_args_is_help=True,
    rich_markup_mode=None,
)
AsJson = Annotated[bool, typer.Option("--json", help="每行输出一个 JSON 对象")]
Store = Annotated[Path | None, typer.Option("--store", help="用这个图谱文件，而不是 ~/.healgpt 里的")]

# kinds of linking that the graph's schema does not have, and the words for what is said of a mention
_KINDS = {"food": "食物"}
_STATUSES = {"present": "有", "absent": "没有", "uncertain": "疑似", "past": "以前"}
_SEVERITIES = {"": "", "mild": "轻", "severe": "重"}


def opened(store: Path | None = None) -> graphs.KnowledgeGraph:
    """Open the graph, telling on standard error what a first build is doing."""
    return graphs.open_graph(store, report=progress())


def progress() -> Callable[[str], None]:
    """Return a reporter that writes each stage with the seconds gone to standard error."""
    begun = time.monotonic()

    def tell(stage: str) -> None:
        print(f"[{time.monotonic() - begun:5.1f} 秒] 首次使用，正在建立图谱：{stage}…", file=sys.stderr, flush=True)

    return tell


@app.command()
def stats(as_json: AsJson = False, store: Store = None) -> None:
    """显示图谱的规模：每种关系有多少事实达到可以给患者看的标准。

    例子：healgpt kg stats --json
    """
    with opened(store) as graph:
        counts = graph.counts()
    if as_json:
        print(json.dumps(asdict(counts), ensure_ascii=False))
        return
    kept, total = counts.kept, counts.total
    print(f"来源：{counts.sources}；原始三元组 {counts.triples:,} 条，规范化后 {total:,} 条事实")
    print(f"支持度不低于 {counts.threshold}、并有旁证的 {kept:,} 条（{kept / max(total, 1):.1%}）可以给患者看\n")
    table = Table("关系", "反向", "可用", "全部", "比例")
    for name, (good, everything) in counts.relations.items():
        table.add_row(
            name, schema().relations[name].inverse, f"{good:,}", f"{everything:,}", f"{good / everything:.0%}"
        )
    Console().print(table)
    kinds = "、".join(f"{schema().kinds.get(kind, kind)} {good:,}" for kind, (good, _) in counts.kinds.items() if good)
    print(f"有事实达到阈值的实体：{kinds}")


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="名称的一部分")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 20,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """按名称或别名的一部分找实体。

    例子：healgpt kg search 阿莫西林
    """
    with opened(store) as graph:
        found = graph.search(text, limit=limit)
    for entity in found:
        if as_json:
            print(jsonl.dump({"name": entity.name, "kind": entity.kind}))
        else:
            print(f"{entity.name}（{schema().kinds.get(entity.kind, entity.kind)}）")
    if not found and not as_json:
        print(f"图谱里没有名称含“{text}”的实体。", file=sys.stderr)


@app.command()
def show(  # noqa: PLR0917  # each is a flag of the command line
    name: Annotated[str, typer.Argument(help="实体名称或别名")],
    relation: Annotated[
        list[str] | None, typer.Option("--relation", "-r", help="只看这种关系，可重复；反向名也可以")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="每种关系最多几条")] = 10,
    every: Annotated[bool, typer.Option("--all", help="连支持度不够的也显示")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="显示来源里未经处理的三元组")] = False,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """显示一个实体的事实，支持度高的在前。

    例子：healgpt kg show 颈椎病 -r 检查 -r 就诊科室
    """
    with opened(store) as graph:
        if raw:
            _print(graph.raw(name), as_json)
            return
        entity = graph.entity(name)
        if entity is None:
            near = "、".join(one.name for one in graph.search(name, limit=5))
            raise DataError(f"图谱里没有“{name}”。" + (f"名称相近的有：{near}。" if near else "请换一个说法试试。"))
        rules = schema()
        # what an entity is told by others is read in their direction: 头晕 has no symptoms, it is one
        wanted = relation or [*rules.relations, *(name for name in rules.inverses if name not in rules.relations)]
        groups = {one: graph.facts_about(name, [one], every=every, limit=limit) for one in wanted}
        held = [] if every else [row for row in graph.held_back(name) if row[0].predicate in wanted]
    if as_json:
        _print((fact for facts in groups.values() for fact in facts), as_json)
        return
    aliases = f"，又名：{'、'.join(entity.aliases[:8])}" if entity.aliases else ""
    print(f"{entity.name}（{rules.kinds.get(entity.kind, entity.kind)}{aliases}）")
    for one, facts in groups.items():
        if facts:
            print(f"  {one}：{'；'.join(f'{fact.object} {fact.support:.2f}' for fact in facts)}")
    _print_held(held, limit)


def _print_held(held: Sequence[tuple[Fact, str]], limit: int) -> None:
    """Print what no patient is told, by relation and reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for fact, reason in held:
        groups.setdefault((fact.predicate, reason), []).append(fact.object)
    if groups:
        print("  以下只供查阅，不会给患者：")
    for (relation, reason), objects in groups.items():
        print(f"  * {relation}（{corroboration.REASONS[reason]}）：{'；'.join(objects[:limit])}")


@app.command()
def ask(
    question: Annotated[str, typer.Argument(metavar="问题", help="一个健康问题")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="最多几条事实")] = 15,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """不用模型，直接用图谱里的事实回答，每条都注明来源和支持度。

    例子：healgpt kg ask "颈椎病要做哪些检查？"
    """
    from healgpt.consult.intent import relevant, understand
    from healgpt.knowledge.linking import open_linker
    from healgpt.knowledge.retrieval import Retriever, generous

    with opened(store) as graph:
        mentions, intent = understand([{"role": "user", "content": question}], open_linker(graph).link)
        facts = relevant(Retriever(graph).find(mentions, wanted=generous(intent.wanted), limit=limit), mentions, intent)
    if as_json:
        _print(facts, as_json)
        return
    named = "、".join(dict.fromkeys(f"{one.name}（{_kind(one.kind)}）" for one in mentions))
    print(f"认出：{named or '没有认出疾病、症状或药'}；想问：{intent.label}\n")
    for number, fact in enumerate(facts, start=1):
        evidence = f"来源 {fact.source}，支持度 {fact.support:.2f}"
        print(f"[{number}] {fact.subject}·{fact.predicate}：{fact.object}（{evidence}）")
    if not facts:
        print("图谱里没有找到能回答这个问题、又达到可用标准的事实。请换个说法，或用 healgpt kg search 找名称。")


@app.command()
def link(
    text: Annotated[str | None, typer.Argument(metavar="文字", help="不写就从标准输入逐行读 JSONL")] = None,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """认出一句话里的疾病、症状、药、检查和食物：标准名称、有无、是谁的、多久、轻重。

    例子：healgpt kg link "我妈头有点疼三天了，没有发烧"；healgpt kg link --json < 问题.jsonl
    """
    from healgpt.cli.batch import conversations
    from healgpt.knowledge.linking import about, open_linker

    with opened(store) as graph:
        linker = open_linker(graph)
    for item, messages in conversations(text):
        spoken = [(turn, message["content"]) for turn, message in enumerate(messages) if message["role"] == "user"]
        found = [(turn, mention) for turn, said in spoken for mention in linker.link(said)]
        if as_json:
            rows = [{"turn": turn, **asdict(mention)} for turn, mention in found]
            person = asdict(about("，".join(said for _, said in spoken)))
            print(jsonl.dump({**_named(item), "mentions": rows, "person": person}))
            continue
        for _, one in found:
            details = "，".join(filter(None, (_STATUSES[one.status], one.who, one.duration, _SEVERITIES[one.severity])))
            print(f"{one.text} → {one.name}（{_kind(one.kind)}；{details}）")
        if not found:
            print("没有认出疾病、症状、药、检查或食物。")


@app.command()
def facts(
    text: Annotated[str | None, typer.Argument(metavar="文字", help="不写就从标准输入逐行读 JSONL")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="最多几条事实")] = 8,
    as_json: AsJson = False,
    store: Store = None,
) -> None:
    """显示回答一句话（或一段对话的最后一句）时会引用哪些事实。

    例子：healgpt kg facts "孕妇能吃布洛芬吗"；healgpt kg facts --json < 对话.jsonl
    """
    from healgpt.cli.batch import conversations
    from healgpt.consult.intent import relevant, understand
    from healgpt.knowledge.linking import open_linker
    from healgpt.knowledge.retrieval import Retriever

    with opened(store) as graph:
        linker, retriever = open_linker(graph), Retriever(graph)
        for item, messages in conversations(text):
            mentions, intent = understand(messages, linker.link)
            found = relevant(retriever.find(mentions, wanted=intent.wanted, limit=limit), mentions, intent)
            if as_json:
                names = list(dict.fromkeys(one.name for one in mentions))
                rows = [as_row(fact) for fact in found]
                print(jsonl.dump({**_named(item), "intent": intent.name, "entities": names, "facts": rows}))
                continue
            print(f"想问：{intent.label}")
            _print(found, as_json)


def _kind(kind: str) -> str:
    return schema().kinds.get(kind) or _KINDS.get(kind, kind)


def _named(item: dict[str, Any]) -> dict[str, Any]:
    return {"id": item["id"]} if "id" in item else {}


def _print(facts: Iterable[Fact], as_json: bool) -> None:
    for fact in facts:
        if as_json:
            print(jsonl.dump(as_row(fact)))
        else:
            print(f"{fact.subject} | {fact.predicate} | {fact.object} | {fact.source}")


def as_row(fact: Fact) -> dict[str, object]:
    """Return `fact` as the object of a JSONL line, which `kg import` reads again."""
    return {
        "subject": fact.subject,
        "predicate": fact.predicate,
        "object": fact.object,
        "source": fact.source,
        "support": fact.support,
    }


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="图谱文件，或 Neo4j CSV 所在的文件夹")],
    source: Annotated[str, typer.Option("--source", help="来源名称，会随每条事实显示")] = "",
    form: Annotated[str, typer.Option("--format", help="、".join(importers.FORMATS) + "；不写则自动识别")] = "",
) -> None:
    """把另一个图谱并入本地图谱，保留来源；同名来源会被替换。

    例子：healgpt kg import 院内图谱.csv --source 院内
    """
    count, target = graphs.import_graph(path, source=source, form=form)
    print(f"已导入 {count:,} 条三元组到 {target}。")
    with opened() as graph:
        print(f"图谱现在有 {graph.counts().total:,} 条事实，来源：{graph.counts().sources}。")


@app.command()
def export(
    path: Annotated[Path, typer.Argument(help="写到这个 JSONL 文件；- 是标准输出")],
    relation: Annotated[str, typer.Option("--relation", "-r", help="只导出这种关系")] = "",
    every: Annotated[bool, typer.Option("--all", help="连支持度不够的也导出")] = False,
    store: Store = None,
) -> None:
    """把事实导出为 JSONL：subject、predicate、object、source、support。

    例子：healgpt kg export 症状.jsonl -r 症状
    """
    with opened(store) as graph:
        rows = map(as_row, graph.facts(relation or None, every=every))
        if str(path) == "-":
            for row in rows:
                print(jsonl.dump(row))
            return
        print(f"已导出 {jsonl.write(path, rows):,} 条事实到 {path}。")
