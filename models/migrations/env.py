"""How Alembic runs: on a connection it is given, never on one of its own."""

from alembic import context

from models.registry import METADATA


def run() -> None:
    """Run the migrations in the caller's transaction."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
