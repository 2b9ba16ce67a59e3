"""Migrations of the schema, run by alembic: see `schema.py`."""
