"""Handing mails to the mail server: addresses, the sender, connections."""
