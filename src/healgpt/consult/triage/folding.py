"""One spelling for many: the folded text has the length of the original wherever possible, and offsets back to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

# Everyday spellings that mean the same to a reader; the patterns are folded with the same table.
_SAME = {"疼": "痛", "得": "的", "她": "他", "它": "他", "您": "你", "涨": "胀", "蛰": "蜇", "咀": "嘴", "℃": "度"}
_SAME |= {"屙": "拉", "哽": "噎", "遭": "被", "冇": "没", "勿": "不"}
_SAME |= {"锥": "扎", "俺": "我", "佢": "他", "淌": "流", "飚": "飙"}
# Dialect words and slips of the keyboard with their everyday equals, which have the same length: places stay.
_DIALECT = """
没得 没有 木有 没有 脑壳 脑袋 脑瓜 脑袋 肚皮 肚子 娃儿 娃娃
细伢 娃娃 伢子 孩子 伢崽 娃娃 幺儿 儿子 幺妹 妹妹 妹坨 妹妹
崽伢 孩子 女崽 女儿 晓得 知道 咋个 怎么 啷个 怎么 咋地 怎么
咋整 怎办 手杆 手臂 脚杆 小腿 腰杆 后腰 颈子 脖子 颈项 脖子
背心 后背 膀子 肩膀 周身 全身 额角 额头 闲话 说话 面孔 脸上
阿公 爷爷 阿婆 奶奶 阿嫲 奶奶 阿爷 爷爷 姆妈 妈妈 婆娘 老婆
堂客 老婆 今朝 今天 今儿 今天 昨儿 昨天 夜里 晚上 晚黑 晚上
瞌睡 睡觉 落床 上床 唔到 不到 唔上 不上 啥子 什么 屋头 家里
侬家 你家 搁那 在那 孬受 难受 恼火 难受 响动 动静 声气 声音
老倌 老头 困男 困难 困南 困难 晕到 晕倒 昏到 昏倒 抽畜 抽搐
抽蓄 抽搐 发扫 发烧 恶新 恶心 呕土 呕吐 之觉 知觉 休可 休克
胸囗 胸口 心囗 心口 哮揣 哮喘
"""
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]+")


@dataclass(frozen=True, slots=True)
class Folded:
    """`text` is what the patterns see; `offsets[i]` is where its character `i` stands in the original."""

    text: str
    offsets: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original offsets of the non-empty folded range."""
        return self.offsets[start], self.offsets[end - 1] + 1


@lru_cache(maxsize=1)
def _table() -> dict[int, str]:
    """Map single characters: full width to half, capitals to small, traditional to simplified, `_SAME` last."""
    from opencc import OpenCC

    ideographs = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified = OpenCC("t2s").convert("\n".join(ideographs)).split("\n")
    table = {ord(old): _SAME.get(new, new) for old, new in zip(ideographs, simplified, strict=True) if old != new}
    table |= {code: chr(code - 0xFEE0).lower() for code in range(0xFF01, 0xFF5F)}
    table |= {code: chr(code + 32) for code in range(ord("A"), ord("Z") + 1)}
    return table | {0x3000: " "} | {ord(old): new for old, new in _SAME.items()}


def fold(text: str) -> Folded:
    """Return `text` in one spelling. Invisible characters vanish; everything else keeps its place."""
    if not _INVISIBLE.search(text):
        return Folded(_plain(text), range(len(text)))
    kept = [index for index, character in enumerate(text) if not _INVISIBLE.match(character)]
    return Folded(_plain("".join(text[index] for index in kept)), kept)


def _plain(text: str) -> str:
    words, pattern = _dialect()
    return pattern.sub(lambda match: words[match[0]], text.translate(_table()))


@lru_cache(maxsize=1)
def _dialect() -> tuple[dict[str, str], re.Pattern[str]]:
    words = [word.translate(_table()) for word in _DIALECT.split()]
    table = dict(zip(words[::2], words[1::2], strict=True))
    return table, re.compile("|".join(map(re.escape, table)))
