"""The documentation to browse: one page without scripts, and nothing from elsewhere in it."""

from collections.abc import Sequence
from html import escape
from itertools import groupby

from shared.http.operations import ListOf, Operation

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;color:#1c1e21}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid #ccd}
nav a{margin-right:.7rem;white-space:nowrap}a{color:#0b57d0}
table{border-collapse:collapse;width:100%}td{padding:.2rem .5rem;vertical-align:top}
tr:nth-child(even){background:#f4f6f9}code{font:13px ui-monospace,monospace}
.m{font-weight:600}.r{color:#555;font-size:13px}
"""


def docs_page(operations: Sequence[Operation]) -> str:
    """The page of all ``operations``, by resource."""
    ordered = sorted(operations, key=_resource)
    groups = [(name, list(each)) for name, each in groupby(ordered, _resource)]
    links = " ".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name, _ in groups)
    sections = "\n".join(_section(name, each) for name, each in groups)
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Ordermesh: the HTTP API</title><style>{_STYLE}</style>
<h1>Ordermesh: the HTTP API</h1>
<p>{len(operations)} operations, {len(groups)} resources. As OpenAPI:
<a href="/openapi.json">/openapi.json</a>. Get a token at <code>POST /oauth/token</code> and send it
as <code>Authorization: Bearer …</code>.</p>
<nav>{links}</nav>
{sections}
</html>"""


def _resource(operation: Operation) -> str:
    return operation.name.partition(".")[0]


def _section(name: str, operations: Sequence[Operation]) -> str:
    rows = "\n".join(_row(operation) for operation in operations)
    return f'<h2 id="{escape(name)}">{escape(name)}</h2>\n<table>{rows}</table>'


def _row(operation: Operation) -> str:
    roles = ", ".join(operation.roles) if operation.roles else "any role"
    who = "public" if operation.public else f"{', '.join(sorted(operation.users))}: {roles}"
    return (
        f'<tr><td class="m"><code>{operation.method}</code></td>'
        f"<td><code>{escape(operation.route)}</code><br>"
        f'<span class="r">{escape(operation.name)}: {escape(operation.summary)}</span></td>'
        f'<td class="r">{escape(who)}</td><td class="r">{operation.status} {_answer(operation)}'
        "</td></tr>"
    )


def _answer(operation: Operation) -> str:
    answer = operation.answer
    if answer is None:
        return ""
    if isinstance(answer, ListOf):
        return f"list of {escape(answer.model.__name__)}"
    return escape(answer.__name__)
