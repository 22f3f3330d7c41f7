"""The one error that a user of the commands can cause and mend."""


class TrainingError(Exception):
    """A step cannot go on; the message says what, where, the current value and what would be right.

    The command prints the message without a traceback and exits with status 1.
    """
