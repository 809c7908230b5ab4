"""What `python -m service.cli` runs."""

from service.cli import app

if __name__ == "__main__":
    app()
