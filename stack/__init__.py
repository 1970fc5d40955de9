"""The local stack: broker, schema registry, Postgres servers and the project's roles, without containers."""
