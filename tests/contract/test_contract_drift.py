"""An invented page and its clauses: what counts as drift, and what does not."""

from __future__ import annotations

import hashlib
import html
import json
import re
from typing import Any

import pytest
from clause_digests import retaken
from hypothesis import given
from hypothesis import strategies as st

from conformance.contract import schemas
from conformance.contract.drift import Change, Sentence, drift, statements

PAGE = """\
# Brew Tea

#### Description
Brews a cup of [tea](/tea/index.md) in the [kitchen](/kitchen). A cup without `leaves` isn't brewed.

See the kitchen for more.

```http
POST /v1/cups HTTP/1.1
Host: {kitchen}

{
  "leaves": "green",
  "at": "2026-04-28T15:30:00Z"
}
```

> **WARNING:** For the best taste you must leave the lid on.

##### `leaves` *(required)*
The leaves are one of:</p>

- `green` - Japan
<li>`black` - **Assam**

-
`none` removes the leaves from a cup.

#### `lid`
Only used with `leaves`.

#### `sugar`
Only used with `leaves`.

##### 418 Teapot
The cup will be `{ &quot;empty&quot;: true }` for a while.

```json
{"errors": {"leaves": [{"key": "errors.no_leaves"}]}}
```

---
[Read in HTML](/tea/)
"""
STATED = [
    ("T1", "Brews a cup of tea in the kitchen."),
    ("T2", "A cup without leaves isn't brewed."),
    ("T3", "POST /v1/cups HTTP/1.1"),
    ("T3", "Host: {kitchen}"),
    ("T4", '{"at": "0000-00-00T00:00:00Z", "leaves": "green"}'),
    ("T5", "For the best taste you must leave the lid on."),
    ("T6", "leaves (required)"),
    ("T6", "The leaves are one of:"),
    ("T6", "green - Japan"),
    ("T6", "black - Assam"),
    ("T7", "none removes the leaves from a cup."),
    ("T8 T9", "lid"),
    ("T8 T9", "Only used with leaves."),
    ("T10", "sugar"),
    ("T10", "Only used with leaves."),
    ("T11", "418 Teapot"),
    ("T11", 'The cup will be {"empty": true} for a while.'),
    ("T12", '{"errors": {"leaves": [{"key": "errors.no_leaves"}]}}'),
]
ASIDE = ["Brew Tea", "Description", "See the kitchen for more.", "Read in HTML"]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def made_up_clauses() -> dict[str, Any]:
    digests: dict[str, list[str]] = {}
    for ids, text in STATED:
        for id_ in ids.split():
            digests.setdefault(id_, []).append(sha256(text))
    return {
        "page": {"outline": [ids.split() for ids, _ in STATED], "aside": [sha256(text) for text in ASIDE]},
        "clauses": [*({"id": id_, "digest": digest} for id_, digest in digests.items()), {"id": "T13"}],
    }


CLAUSES = made_up_clauses()


def changes(page: str) -> list[tuple[str, tuple[str, ...], str | None]]:
    return [(c.kind, c.clauses or c.after, c.statement and c.statement.text) for c in drift(page, CLAUSES)]


#: The page as a site serves it: one article amid its navigation.
PAGE_AS_HTML = """\
<!DOCTYPE html>
<html><head><title>You must not</title><style>p { color: must }</style></head>
<body><nav><ul><li><a href='/'>You must go home</a></li></ul></nav>
<p>You must log in.</p>
<main><header>You must search</header>
<h1 id="brew-tea">
  Brew Tea
</h1>
<h4>Description</h4>
<p>Brews a cup of <a href="/tea/">tea</a> in the <a href="/kitchen">kitchen</a>.
A cup without <code>leaves</code> isn&rsquo;t brewed.</p>
<p>See the kitchen for more.</p>
<pre class='http'><code><span>POST</span> /v1/cups HTTP/1.1
Host: {kitchen}

{
  <span>&quot;leaves&quot;</span>: "green",
  "at": "2026-04-28T15:30:00Z"
}
</code></pre>
<blockquote><p><strong>WARNING:</strong> For the best taste you must leave the lid on.</p></blockquote>
<h5><code>leaves</code> <em>(required)</em></h5>
<p>The leaves are one of:
<ul>
<li><p><code>green</code> - Japan</p></li>
<li><code>black</code> - <strong>Assam</strong>
<li>

<code>none</code> removes the leaves from a cup.
</ul>
<h4><code>lid</code></h4>
<div>Only used with <code>leaves</code>.</div>
<h4><code>sugar</code></h4>
<p>Only used with <code>leaves</code>.</p>
<h5>418 Teapot</h5>
<p>The cup will be <code>{ &quot;empty&quot;: true }</code> for a while.<br>
<pre>{"errors": {"leaves": [{"key": "errors.no_leaves"}]}}</pre>
<hr>
<a href="/tea/">Read in HTML</a>
</main><footer>You must not copy</footer></body></html>
"""


SAME = {
    "itself": PAGE,
    "with CRLF": PAGE.replace("\n", "\r\n"),
    "with a byte order mark": "\ufeff" + PAGE,
    "with other dates": PAGE.replace("2026-04-28T15:30", "2031-12-01T09:05"),
    "with more white space": PAGE.replace(" the ", "  the\t\n").replace("\n\n", "\n\n\n \n"),
    "with entities": PAGE.replace('"', "&quot;").replace("isn't", "isn&#39;t").replace("&quot;empty&quot;", '"empty"'),
    "with typographic quotes": PAGE.replace("isn't", "isn\u2019t"),
    "with other marks for lists and emphasis": PAGE.replace("- `", "* `").replace("*(required)*", "_(required)_"),
    "with numbered lists": PAGE.replace("- `", "1. `"),
    "without marks": PAGE.replace("`green`", "green").replace("**Assam**", "Assam"),
    "with links elsewhere": PAGE.replace("/kitchen", "https://tea.example/kitchen").replace("/tea/)", "/)"),
    "with tildes as fences": PAGE.replace("```", "~~~"),
    "with its JSON in another order": PAGE.replace('"leaves": "green",\n  ', "").replace(
        'Z"\n}', 'Z",\n  "leaves": "green"\n}'
    ),
    "with inner spaces": PAGE.replace("{ &quot;empty&quot;: true }", '{"empty": true}'),
    "with a picture": PAGE.replace("Brews a", "![A cup you must see](/cup.png) Brews a"),
    "with a comment": PAGE.replace("Brews a", "<!-- You must not see this. -->Brews a"),
    "with something said twice": PAGE.replace("\n---", "\nFor the best taste you must leave the lid on.\n\n---"),
    "with something that binds nobody": PAGE.replace("\n---", "\nThank you for your patience!\n\n---"),
    "with an empty example": PAGE + "\n```\n```\n",
    "with tags that are not closed": PAGE.replace("Brews a", "<nav><main>Brews a"),
    "with a comment that is not closed": PAGE.replace("[Read in HTML]", "<!-- Read [Read in HTML]"),
    "with a list that is indented": PAGE.replace("- `", "   - `"),
    "as HTML": PAGE_AS_HTML,
    "as HTML with CRLF": PAGE_AS_HTML.replace("\n", "\r\n"),
    "as HTML without what surrounds it": PAGE_AS_HTML.partition("</header>")[2].partition("</main>")[0],
    "as HTML in capitals": re.sub(r"</?\w+", lambda tag: tag[0].upper(), PAGE_AS_HTML),
}


@pytest.mark.parametrize("page", SAME.values(), ids=SAME.keys())
def test_an_equivalent_page_has_not_drifted(page: str) -> None:
    assert drift(page, CLAUSES) == ()


DRIFTED = {
    "a sentence changed": (
        ("isn't brewed", "is brewed"),
        [("changed", ("T2",), "A cup without leaves is brewed.")],
    ),
    "a sentence went": (
        (" A cup without `leaves` isn't brewed.", ""),
        [("gone", ("T2",), None)],
    ),
    "a sentence came": (
        ("the lid on.", "the lid on. You must wait."),
        [("new", ("T5",), "You must wait.")],
    ),
    "a sentence came first": (
        ("Brews a", "Tea cannot be returned. Brews a"),
        [("new", (), "Tea cannot be returned.")],
    ),
    "a sentence came that names a field": (
        ("the lid on.", "the lid on. See `steep_time` too."),
        [("new", ("T5",), "See steep_time too.")],
    ),
    "one became two": (
        ("you must leave the lid on.", "leave the lid. You must leave it on."),
        [("changed", ("T5",), "For the best taste leave the lid."), ("new", ("T5",), "You must leave it on.")],
    ),
    "a built-in value went": (
        ("-\n`none` removes the leaves from a cup.\n", ""),
        [("gone", ("T7",), None)],
    ),
    "a value of a list went": (
        ("<li>`black` - **Assam**\n", ""),
        [("gone", ("T6",), None)],
    ),
    "a value of a list came": (
        ("- `green`", "- `white`\n- `green`"),
        [("new", ("T6",), "white")],
    ),
    "the order of a list changed": (
        ("- `green` - Japan\n<li>`black` - **Assam**", "- `black` - Assam\n- `green` - Japan"),
        [("moved", ("T6",), "black - Assam")],
    ),
    "a sentence under two headings went from the second": (
        ("#### `sugar`\nOnly used with `leaves`.", "#### `sugar`"),
        [("gone", ("T10",), None)],
    ),
    "two clauses of one sentence changed": (
        ("#### `lid`\nOnly used with `leaves`.", "#### `lid`\nOnly used without `leaves`."),
        [("changed", ("T8", "T9"), "Only used without leaves.")],
    ),
    "a parameter became optional": (
        ("*(required)*", "*(optional)*"),
        [("changed", ("T6",), "leaves (optional)")],
    ),
    "a parameter came": (
        ("##### 418", "##### `milk_first` *(optional)*\n\n##### 418"),
        [("new", ("T10",), "milk_first (optional)")],
    ),
    "a status changed": (
        ("418 Teapot", "400 Teapot"),
        [("changed", ("T11",), "400 Teapot")],
    ),
    "a value in a sentence changed": (
        ("&quot;: true }", "&quot;: 1 }"),
        [("changed", ("T11",), 'The cup will be {"empty": 1} for a while.')],
    ),
    "an error key changed": (
        ("errors.no_leaves", "errors.none"),
        [("changed", ("T12",), '{"errors": {"leaves": [{"key": "errors.none"}]}}')],
    ),
    "a path changed": (
        ("/v1/cups", "/v2/cups"),
        [("changed", ("T3",), "POST /v2/cups HTTP/1.1")],
    ),
    "an example changed": (
        ('"green",', '"black",'),
        [("changed", ("T4",), '{"at": "0000-00-00T00:00:00Z", "leaves": "black"}')],
    ),
    "an example came that is not closed": (
        ("[Read in HTML](/tea/)", '~~~\n{"pot": "cast iron"}'),
        [("new", ("T12",), '{"pot": "cast iron"}')],
    ),
    "an example is no JSON any more": (
        ('"green",', '"green", "lid": ...,'),
        [("changed", ("T4",), '{ "leaves": "green", "lid": ..., "at": "0000-00-00T00:00:00Z" }')],
    ),
}


@pytest.mark.parametrize(("edit", "expected"), DRIFTED.values(), ids=DRIFTED.keys())
def test_a_changed_page_names_the_clause(
    edit: tuple[str, str], expected: list[tuple[str, tuple[str, ...], str | None]]
) -> None:
    assert PAGE.count(edit[0]) == 1
    assert changes(PAGE.replace(*edit)) == expected


@pytest.mark.parametrize(
    "edit", [edit for edit, _ in DRIFTED.values() if PAGE_AS_HTML.count(edit[0]) == 1 and "`" not in edit[1]]
)
def test_a_change_is_the_same_in_html(edit: tuple[str, str]) -> None:
    assert changes(PAGE_AS_HTML.replace(*edit)) == changes(PAGE.replace(*edit)) != []


def test_markdown_and_html_have_the_same_statements() -> None:
    assert [(s.text, s.section) for s in statements(PAGE)] == [(s.text, s.section) for s in statements(PAGE_AS_HTML)]


SPANS = st.tuples(
    st.sampled_from(["plain", "code", "strong", "em", "link"]),
    st.text("ab.? _*<>&\"'#[`\\-1", min_size=1).filter(lambda text: text == text.strip()),
)
BLOCKS = st.tuples(
    st.sampled_from(["heading", "paragraph", "item", "quote", "example"]), st.lists(SPANS, min_size=1, max_size=4)
)


def as_markdown(kind: str, spans: list[tuple[str, str]]) -> str:
    if kind == "example":
        return f"~~~\n{' '.join(text for _, text in spans)}\n~~~"
    forms = {"plain": "{}", "code": "{}", "strong": "**{}**", "em": "*{}*", "link": "[{}](/there)"}
    rendered = " ".join(
        f"```` {text} ````" if form == "code" else forms[form].format(re.sub(r"([^0-9A-Za-z\s])", r"\\\1", text))
        for form, text in spans
    )
    return {"heading": "## ", "paragraph": "", "item": "- ", "quote": "> "}[kind] + rendered


def as_html(kind: str, spans: list[tuple[str, str]]) -> str:
    if kind == "example":
        return f"<pre>{html.escape(' '.join(text for _, text in spans))}</pre>"
    tags = {"plain": "span", "code": "code", "strong": "strong", "em": "em", "link": "a"}
    rendered = " ".join(f"<{tags[form]}>{html.escape(text)}</{tags[form]}>" for form, text in spans)
    tag = {"heading": "h2", "paragraph": "p", "item": "li", "quote": "blockquote"}[kind]
    return f"<{tag}>{rendered}</{tag}>"


@given(st.lists(BLOCKS, min_size=1))
def test_any_page_has_the_same_statements_in_markdown_and_html(blocks: list[tuple[str, list[tuple[str, str]]]]) -> None:
    markdown = "\n\n".join(as_markdown(*block) for block in [("paragraph", [("plain", "Tea")]), *blocks])
    rendered = "\n".join(as_html(*block) for block in [("paragraph", [("plain", "Tea")]), *blocks])
    assert list(statements(markdown)) == list(statements(rendered))


def test_on_an_empty_page_every_statement_is_gone() -> None:
    assert changes("") == [("gone", tuple(ids.split()), None) for ids, _ in STATED]


def test_a_page_of_another_kind_is_read_in_little_time() -> None:
    marks = ("`", "```\n", "<nav>", "<a", "[", "{ ", "*", "<!--", "> ", "# ", "a. ", "__", "\\", "&quot;", "- ")
    assert {kind for mark in marks for kind, _, _ in changes(mark * 5_000)} <= {"gone", "changed", "new"}


def test_a_change_quotes_the_page_and_names_the_section() -> None:
    teapot = Sentence("400 Teapot", "400 Teapot", "heading")
    assert [
        str(Change("changed", ("T8", "T9"), teapot)),
        str(Change("moved", ("T11",), teapot)),
        str(Change("gone", ("T11",))),
        str(Change("new", (), teapot, ("T10",))),
        str(Change("new", (), teapot)),
    ] == [
        f"T8, T9: changed; the page now says '400 Teapot' (under '400 Teapot', sha256 {sha256('400 Teapot')})",
        f"T11: moved: '400 Teapot' (under '400 Teapot', sha256 {sha256('400 Teapot')})",
        "T11: the page does not say this any more",
        f"new, after T10: '400 Teapot' (under '400 Teapot', sha256 {sha256('400 Teapot')}) belongs to no clause",
        f"new, after the beginning: '400 Teapot' (under '400 Teapot', sha256 {sha256('400 Teapot')}) "
        "belongs to no clause",
    ]


def test_an_outline_places_every_digest_once() -> None:
    page = {"outline": [["T1"], ["T1"]], "aside": []}
    with pytest.raises(ValueError, match=r"outline\[1\] of the clauses: \['T1'\] have no digest in common"):
        drift("", {"page": page, "clauses": [{"id": "T1", "digest": ["a"]}]})
    with pytest.raises(ValueError, match=r"\['T1'\] have digests without a place in it"):
        drift("", {"page": page, "clauses": [{"id": "T1", "digest": ["a", "b", "c"]}]})
    with pytest.raises(ValueError, match=r"outline\[0\] of the clauses: \['T1', 'T2'\] have no digest"):
        drift(
            "",
            {
                "page": {"outline": [["T1", "T2"]], "aside": []},
                "clauses": [{"id": "T1", "digest": ["a"]}, {"id": "T2", "digest": ["b"]}],
            },
        )


def test_the_contract_has_an_outline_that_places_every_digest() -> None:
    contract = schemas.read("clauses")
    assert len(drift("", contract)) == len(contract["page"]["outline"])


def test_digests_are_recomputed_for_the_same_outline() -> None:
    text = json.dumps(CLAUSES, indent=4)
    changed = PAGE.replace("isn't brewed", "is not brewed").replace("*(required)*", "*(needed)*")
    again = retaken(text, changed)
    assert drift(changed, json.loads(again)) == ()
    assert re.sub("[0-9a-f]{64}", "", again) == re.sub("[0-9a-f]{64}", "", text)
    assert retaken(text, PAGE) == text


def test_digests_are_not_recomputed_for_a_page_with_another_outline() -> None:
    with pytest.raises(ValueError, match="the outline has 18 places and the page 19 statements"):
        retaken(json.dumps(CLAUSES), PAGE.replace("the lid on.", "the lid on. You must wait."))
