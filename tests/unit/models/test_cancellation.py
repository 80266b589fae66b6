"""What belongs to a block is cancelled when the block ends, and nothing else is."""

import contextvars

import pytest

from models.cancellation import cancel_scope, raise_if_cancelled
from models.errors import CancelledError


def test_work_is_wanted_until_its_block_ends():
    with cancel_scope():
        work = contextvars.copy_context()
        work.run(raise_if_cancelled)
    with pytest.raises(CancelledError):
        work.run(raise_if_cancelled)


def test_the_end_of_a_block_cancels_nothing_outside_of_it():
    with cancel_scope():
        with cancel_scope():
            pass
        raise_if_cancelled()
    raise_if_cancelled()
