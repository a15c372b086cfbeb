"""Dead letters as an operator works with them: look, send again, put away, with a record of it.

``letter`` is what one is and which are meant, pure; ``reading`` finds them on their topics;
``audit`` keeps what was done about each; ``replay`` sends them again. No business rules in here:
what a letter means is for the service to say that takes it again.
"""
