"""Words from elsewhere stay words: no link, no HTML, no heading comes of them, and nobody is mentioned."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from harness.handover.markdown import code, fence, link, words
from harness.report.text import clean, one_line

RENDER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = [
    "[x](javascript:alert(1))", "<script>alert(1)</script>", "![x](http://e.org/a.png)", "@team look", "# head",
    "- item", "1. item", "| a | b |", "*bold* _it_ ~~no~~ `code`", "https://evil.example/", "a\n\n# b", "&lt;b&gt;",
    "\\*", "{{ x }}",
    "---", "===", "`" * 5, "\u202eabc", "<!-- -->", "::", "a|b", "\x1b[31m", "12)", "+ a", "> quote", "[a]: http://x",
]  # fmt: skip


def text_of(markdown: str) -> tuple[str, set[str]]:
    """What a reader sees of a line, and what kinds of things were made of it."""
    seen, kinds = [], set()
    for block in RENDER.parse(markdown):
        kinds.add(block.type)
        for token in block.children or ():
            if token.type == "html_inline" and token.content == "<!-- -->":
                continue
            kinds.add(token.type)
            seen.append(token.content)
    return "".join(seen), kinds


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from(list("ab1 .-+#*_`~|<>[]()!\\&@{}$=:/\n\t\x1b\u202e")), max_size=20))
def test_what_is_read_is_what_was_there(text: str) -> None:
    line = one_line(text)
    if not line:
        return
    seen, kinds = text_of(words(text, 500))
    assert kinds <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}, words(text)
    assert seen.split() == line.split()
    shown, kinds = text_of(code(text, 500))
    assert kinds <= {"paragraph_open", "inline", "paragraph_close", "code_inline"}
    assert shown == line


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_in_every_place(text: str) -> None:
    for made in (words(text), code(text)):
        assert "\n" not in made
        html = RENDER.render(f"- {made}\n\n| a | b |\n|---|---|\n| {words(text)} | c |\n")
        assert not re.search(r"<(a|img|script|h[1-6]|hr|del|strong|em|blockquote)\b", html), html
        assert html.count("<td") == 2
    assert not re.search(r"@\w|https?://", words(text))
    block = "\n".join(fence(text))
    tokens = RENDER.parse(block)
    assert [token.type for token in tokens] == ["fence"]
    assert tokens[0].content.rstrip("\n") == clean(text).rstrip("\n")


def test_a_block_says_what_was_cut_off() -> None:
    assert fence("x" * 5000)[-1] == "(1,000 characters left out)"
    assert words("x" * 5000, 100).endswith("…")
    assert code("") == "(empty)"


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "https://a.org/> <script>", "https://a.org/x y", "https://@a", "//x"]
)
def test_only_a_plain_address_becomes_a_link(text: str) -> None:
    assert link("https://example.org/issues/7?x=1#y") == "<https://example.org/issues/7?x=1#y>"
    assert "<a" not in RENDER.render(link(text))
