"""The language of rules: when a promotion applies and what it is worth, what needs approval.

``parsing`` makes an expression (``syntax``) of a text, by ``grammar.lark``; ``checking`` holds it
against what its place allows and against the ``fields`` that there are; ``evaluation``, by
``computing`` and ``comparing``, finds what it comes to over ``values``: an order, its lines, a
return (``views`` makes such of resources). ``compiled`` does the first two and remembers. All of
it is pure; a text has at most 400 characters, and its depth and its cost are bounded. The language
is described in ``docs/expressions.md``.
"""
