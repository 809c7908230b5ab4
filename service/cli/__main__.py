"""What `python -m service.cli` runs."""

from service.cli import app
from service.cli.naming import told

if __name__ == "__main__":
    app(prog_name=told())
