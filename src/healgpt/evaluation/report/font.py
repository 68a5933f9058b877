"""Takes from an open Chinese font the characters that a page uses, so that it reads the same on every machine.

The fonts looked for are under the SIL Open Font License, which allows this: Noto Sans CJK and Source Han Sans (Debian:
fonts-noto-cjk; other systems: any of the file names below).
"""

import base64
import io
from pathlib import Path

from healgpt.errors import ConfigError

_NAMES = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "SourceHanSans.ttc",
)
_FAMILIES = ("CJK SC", "Sans SC", "Sans CN")


def folders() -> list[Path]:
    """Return where fonts lie on Linux and macOS."""
    own = Path.home()
    system = ["/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts"]
    return [*map(Path, system), own / ".fonts", own / ".local/share/fonts", own / "Library/Fonts"]


def find() -> Path | None:
    """Return the first known font of this machine, or None."""
    known = {path.name: path for folder in folders() if folder.is_dir() for path in sorted(folder.rglob("*.[ot]t[fc]"))}
    return next((known[name] for name in _NAMES if name in known), None)


def style(path: Path, text: str) -> str:
    """Return an `@font-face` rule named "report" with the characters of `text`, base64 within.

    WOFF2 where brotli is installed, else WOFF. Some seconds for a font collection. Raises `ConfigError` where the
    extra `eval` is not installed or the file is no font.
    """
    try:
        from fontTools import subset
        from fontTools.ttLib import TTLibError
    except ImportError as error:
        raise ConfigError("嵌入中文字体需要 fonttools。请运行 pip install 'healgpt[eval]'，或加 --no-font。") from error
    options = subset.Options(layout_features=["locl"], hinting=False, desubroutinize=True, notdef_outline=True)
    options.flavor, options.font_number = _flavour(), _face(path)
    options.drop_tables += ["BASE", "GSUB", "GPOS", "VORG", "vhea", "vmtx", "DSIG"]
    try:
        font = subset.load_font(str(path), options)
        cut = subset.Subsetter(options)
        cut.populate(text=text)
        cut.subset(font)
        written = io.BytesIO()
        subset.save_font(font, written, options)
    except (TTLibError, OSError) as error:
        raise ConfigError(f"读不了字体 {path}：{error}。请换一个文件，或加 --no-font。") from error
    data = base64.b64encode(written.getvalue()).decode("ascii")
    source = f'url("data:font/{options.flavor};base64,{data}") format("{options.flavor}")'
    return f'@font-face{{font-family:"report";src:{source};font-weight:400;font-display:swap}}'


def _flavour() -> str:
    try:
        import brotli  # noqa: F401 -- what fontTools compresses WOFF2 with
    except ImportError:
        return "woff"
    return "woff2"


def _face(path: Path) -> int:
    """Return which font of a collection is the one for mainland China; 0 for a single font."""
    from fontTools.ttLib import TTCollection

    if path.suffix != ".ttc":
        return 0
    with TTCollection(str(path), lazy=True) as faces:
        names = [str(face["name"].getDebugName(1)) for face in faces.fonts]
    return next((place for place, name in enumerate(names) if any(part in name for part in _FAMILIES)), 0)
