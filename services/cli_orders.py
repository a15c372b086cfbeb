"""`ordermesh orders …`: looking at orders from the command line."""

import typer

orders_app = typer.Typer(help="Look at orders.", no_args_is_help=True)
