"""Alembic migrations, shipped inside the package: the only way the schema of the hub comes to be."""
