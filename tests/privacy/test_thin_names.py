"""Names on thin evidence are found, and the words that look like them stay."""

import pytest

from healgpt.privacy.redact import redact


def found(text: str, kind: str = "NAME") -> list[str]:
    return [text[span.start : span.end] for span in redact(text).spans if span.type == kind]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("方糖女士您好，您的胃镜报告已经出来", ["方糖"]),
        ("我小孩方糖（大名方书瑶）对牛奶过敏", ["方糖", "方书瑶"]),
        ("我弟小军癫痫犯了", ["小军"]),
        ("豆豆今天拉了六次水样便", ["豆豆"]),
        ("建国叔血压又高了", ["建国"]),
        ("找财务莫小姐问", ["莫"]),
        ("请问翦教授周几出诊？", ["翦"]),
        ("宋词与宋诗姐弟俩的疫苗本", ["宋词", "宋诗"]),
        ("检验：尚静 审核：卓越", ["尚静", "卓越"]),
        ("何足道 18:30 我妈的血压高", ["何足道"]),
        ("村医麻建设报告三人腹泻", ["麻建设"]),
        ("Li Na, female, 34, headache", ["Li Na"]),
        ("刘王氏，女，88岁，肺部感染", ["刘王氏"]),
        ("阮氏红，越南籍，孕28周", ["阮氏红"]),
        ("姐，景文住院了", ["景文"]),
    ],
)
def test_names_on_thin_evidence(text: str, names: list[str]) -> None:
    assert found(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "白露过后天气凉，哮喘容易犯",
        "方糖吃多了会不会得糖尿病",
        "甘露醇每天用几次？",
        "帕金森病和川崎病怎么区分",
        "妈妈经常头晕，爸爸长期抽烟",
        "我朋友怀孕了，一旦生了怎么办",
        "切口愈合，予以出院",
        "小结节、小柴胡颗粒、阿莫西林",
        "江苏，女，32岁，甲减",
        "审核：已通过",
        "社区家庭医生说我血压达标",
        "云南白药气雾剂和扶他林能同时用吗？",
    ],
)
def test_words_that_look_like_names_stay(text: str) -> None:
    assert redact(text).spans == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("流水号：20240506003，门诊抽血", "20240506003"),
        ("爸的病历号我找到了，3300128，你去打", "3300128"),
        ("您2023-55718号病历显示应复查", "2023-55718"),
        ("条码880012349871的那管血溶血了", "880012349871"),
    ],
)
def test_record_numbers_by_any_label(text: str, value: str) -> None:
    assert found(text, "MEDICAL_RECORD") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "支付流水号4200002218202406，退款没到",
        "产品批号：A2405123",
        "商品条码6901234567892，保质期24个月",
        "肌酐102，尿酸568",
    ],
)
def test_numbers_of_things_stay(text: str) -> None:
    assert found(text, "MEDICAL_RECORD") == []
