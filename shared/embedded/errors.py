"""What the embedded servers raise."""


class EmbeddedServerError(RuntimeError):
    """A server could not be started on this machine; the message says what to do about it."""
