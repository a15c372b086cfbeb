"""The HTTP API's machinery: declared resources, their routes, tokens, queries, errors.

It knows no resource. What there is stands in ``services/<name>/http``.
"""
