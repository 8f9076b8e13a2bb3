"""The one error class for wrong input, raised at the door and shown to people without a traceback."""


class InputError(ValueError):
    """Something a person gave is wrong: a file, a number, a name.

    The message says what was given, what was expected and what to do. The command line prints it
    on standard error and exits with code 2; nothing has been written when it is raised.
    """
