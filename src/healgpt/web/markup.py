"""Text of users and models made safe to show: nothing in it can become HTML, a picture, a link or a formula.

The page renders answers as Markdown, in which Streamlit also knows coloured text, icons, emoji short names and
LaTeX. A medical answer needs none of these, and a picture or link would fetch from, or lead to, a place that a
model made up.
"""

import html
import re

_DIRECTIVE = re.compile(r":(?=[\w+-]+[:\[/])")
_AUTOLINK = re.compile(r"(?i)(?<=http:)(?=/)|(?<=https:)(?=/)|(?<=www\.)(?=\S)|(?<=\S@)(?=\w)")
_WORD_JOINER = "\u2060"
_FENCE = re.compile(r"^\s*(```|~~~)", re.MULTILINE)


def plain(text: str) -> str:
    """Return `text` as HTML that shows exactly its characters; line breaks are kept by the page's style."""
    return html.escape(without_surrogates(text), quote=True)


def inert(text: str) -> str:
    """Return Markdown that shows `text` with its lists, bold words and tables, and nothing that acts."""
    safe = without_surrogates(text).replace("<", "&lt;").replace("$", "\\$")
    safe = safe.replace("![", "!\\[").replace("](", "]\\(")
    safe = _DIRECTIVE.sub("\\:", safe)
    # Markdown finds addresses in the text after entities and escapes are read; only another sign keeps them apart
    return _AUTOLINK.sub(_WORD_JOINER, safe)


def unfinished(text: str) -> str:
    """Return Markdown of an answer that is still being written: an open fence or bold run is closed at its end.

    Without this, asterisks flash up in the page until the model has written the closing ones.
    """
    tail = text.rsplit("\n", 1)[-1]
    if len(_FENCE.findall(text)) % 2:
        return text + "\n```"
    if tail.count("**") % 2:
        return text.rstrip("*").rstrip() + "**" if not tail.endswith("**") else text[:-2]
    return text


def without_surrogates(text: str) -> str:
    """Return `text` fit for UTF-8: a lone surrogate becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
