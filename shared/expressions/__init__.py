"""The language of rules: when a promotion applies and what it is worth, what needs approval.

``parsing`` makes an expression (``syntax``) of a text, by ``grammar.lark``; ``checking`` holds it
against what its place allows and against the ``fields`` that there are; ``evaluation`` computes it
over an order, its lines or a return (``views`` makes such of resources). ``compiled`` does the
first two and remembers. All of it is pure; a text is at most 400 characters, and neither its depth
nor its cost is unbounded. The language is described in ``docs/expressions.md``.
"""
