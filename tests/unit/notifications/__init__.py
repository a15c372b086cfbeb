"""The notifications service without servers."""
