"""The spelling that triage knows: everyday and dialect words to one form, and words that must be read whole."""

import re
from functools import cache

from healgpt.knowledge.folding import Folded, fold_with, spelling_table

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
# Words of which no part says anything by itself: 血压 is neither 血 nor 压, 麻醉 no drink, 力气 no breath. Each becomes
# a character of its own, repeated, in the text and in the patterns alike, so that it is found whole or not at all.
_WHOLE = """
高血压 血压 高血糖 血糖 高血脂 血脂 血管 血液 血常规 血小板 血栓 血型 血清 麻醉 力气 脾气 天气 生气 运气 小气 客气 气候
腿肚子 硬化 哮喘 抽烟 吸烟 不应该 血尿酸 囊肿 肿瘤 黄疸型 黄疸性 黄疸肝炎
"""
_FIRST_PRIVATE = 0xE000
# 流血压不住, 血压着还在流: here 压 is what someone does
_NOT_AFTER = "(?!不住|住|着)"


def fold(text: str) -> Folded:
    """Return `text` in one spelling. Invisible characters vanish; everything else keeps its place."""
    folded = fold_with(text, _table())
    words, pattern = _words()
    return Folded(pattern.sub(lambda match: words[match[0]], folded.text), folded.offsets)


@cache
def _table() -> dict[int, str]:
    return spelling_table(_SAME)


@cache
def _words() -> tuple[dict[str, str], re.Pattern[str]]:
    listed = [word.translate(_table()) for word in _DIALECT.split()]
    whole = {word: chr(_FIRST_PRIVATE + place) * len(word) for place, word in enumerate(_WHOLE.split())}
    dialect = dict(zip(listed[::2], listed[1::2], strict=True))
    pattern = f"(?:{'|'.join(whole)}){_NOT_AFTER}|{'|'.join(map(re.escape, dialect))}"
    return dialect | whole, re.compile(pattern)
