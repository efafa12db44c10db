"""The GraphiQL page at ``/``: write a query, read the schema, see the answer."""

from .routes import page_routes

__all__ = ["page_routes"]
