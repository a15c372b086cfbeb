"""The bare route: FastAPI and nothing behind it, served as the API is.

A process of the benchmark: ``python -m services.bench.bare_http PORT`` reads one line from standard
input, a product as the API answered it, and answers with a model of that.
"""

import asyncio
import sys

import uvloop
from fastapi import FastAPI

from shared.contracts.catalog import Product
from shared.serving import serving


def bare_app(product: Product) -> FastAPI:
    """One route that answers ``product`` under any ID."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/v1/products/{product_id}")
    async def get(product_id: str) -> Product:
        return product.model_copy(update={"id": product_id})

    return app


async def serve(port: int, product: Product) -> None:
    """Serves until the process is told to end."""
    async with serving(bare_app(product), "127.0.0.1", port):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Product.model_validate_json(sys.stdin.readline())))
