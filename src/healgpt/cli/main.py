"""The `healgpt` command: a table of subcommands, each imported only when called, and the one place that ends in exit 2.

The overview is printed from the table alone, so `healgpt --help` costs no import of typer or of any command.
"""

import difflib
import importlib
import os
import sys
from collections.abc import Sequence

from healgpt import __version__
from healgpt.errors import HealGPTError

# name -> (module with a Typer `app`, one line for the overview)
COMMANDS: dict[str, tuple[str, str]] = {
    "chat": ("healgpt.cli.chat", "在终端里问诊：多轮、流式、可保存与继续"),
    "ask": ("healgpt.cli.ask", "问一个问题就退出，适合脚本（--json 输出完整结果）"),
    "web": ("healgpt.cli.web", "打开网页版问诊"),
    "pull": ("healgpt.cli.pull", "下载模型或知识图谱（断点续传、校验 SHA-256）"),
    "models": ("healgpt.cli.models", "查看、删除模型，估算需要的内存"),
    "kg": ("healgpt.cli.kg", "知识图谱：统计、搜索、查看、导入、导出"),
    "redact": ("healgpt.cli.redact", "隐去姓名、证件号、电话、住址等个人信息"),
    "triage": ("healgpt.cli.triage", "用规则判断一句话或一批对话有没有急症信号"),
    "eval": ("healgpt.cli.evaluate", "评测：考题、问诊、安全、裁判；比较两次结果，守住基线"),
    "export": ("healgpt.cli.export", "把模型导出成自带一切的 Hugging Face 文件夹"),
    "convert": ("healgpt.cli.convert", "转换模型文件：Hugging Face、GGUF、LoRA"),
    "merge": ("healgpt.cli.merge", "把 LoRA 并入模型（Hugging Face 文件夹或 GGUF）"),
    "quantize": ("healgpt.cli.quantize", "量化模型，并测量它和原来差多少"),
}

_OVERVIEW = """\
HealGPT {version}：中文医疗问诊大语言模型的开源全栈。仅供研究与教育，不能代替医生；急症请拨打 120。

用法：healgpt <命令> [参数]        每个命令都可加 --help 查看说明和例子

命令：
{commands}

例子：
  healgpt chat                            开始问诊
  healgpt ask "感冒三天还在咳嗽怎么办"    问一个问题
  healgpt web                             打开网页
"""


def overview() -> str:
    """Return what `healgpt --help` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items()]
    return _OVERVIEW.format(version=__version__, commands="\n".join(lines))


def main(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code: 0 done, 2 with one clear line on standard error, 130 interrupted."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    if arguments[0] in ("-V", "--version", "version"):
        print(f"healgpt {__version__}")
        return 0
    name, rest = arguments[0], list(arguments[1:])
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"是不是想用 {near[0]}？" if near else "运行 healgpt --help 查看全部命令。"
        print(f"错误：没有 {name} 这个命令。{hint}", file=sys.stderr)
        return 2
    try:
        app = importlib.import_module(COMMANDS[name][0]).app
        app(args=rest, prog_name=f"healgpt {name}")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except HealGPTError as error:
        print(f"错误：{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("已中断。", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # the reader of a pipe left (`healgpt … | head`); what Python would still flush at exit goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def run() -> None:
    """Entry point of the console script; output is UTF-8 whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
