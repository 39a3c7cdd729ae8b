"""Statements compiled once for all engines of a worker.

SQLAlchemy keeps what it compiled with each engine, and each test has an engine of its own: a third
of what a test of the core took went into compiling the same statements again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, create_engine

_models: dict[str, Engine] = {}
"""The first engine of each driver."""


def sharing_engine(url: Any, **settings: Any) -> Engine:
    """As `create_engine`, with the dialect and the compiled statements of the first one like it."""
    made = create_engine(url, **settings)
    model = _models.setdefault(made.driver, made)
    # A dialect learns what its server can at the first connection.
    if model is not made and getattr(model.dialect, "server_version_info", None):
        made.dialect = model.dialect
        made._compiled_cache = model._compiled_cache
    return made
