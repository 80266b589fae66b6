"""`mirra` in this process, as a test calls it."""

from typer.testing import CliRunner

from app.cli import app


def run(*words, stdin=None) -> tuple[int, str]:
    """Exit code and output of a command; an error it should have explained is raised."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output
