"""The errors a caller of HealGPT can meet.

    HealGPTError
    ├── ConfigError           a setting, flag or environment variable is wrong
    ├── DataError             a file or text that was handed in is wrong
    ├── ModelError            a model cannot be loaded or used
    │   ├── ModelUnavailable  may work later: refused connection, time-out, 429, 5xx
    │   └── ModelRefused      will not work again unchanged: 401, 404, rejected request
    └── JudgeError            a judge gave no usable verdict

Every message says what went wrong, with which item, and what to do about it. Only `cli.main` turns these
into one line and exit code 2; only `parallel` collects them per item.
"""


class HealGPTError(Exception):
    """Something the user can mend; the message is one or two Chinese sentences meant for them."""


class ConfigError(HealGPTError):
    """A setting, flag or environment variable is wrong."""


class DataError(HealGPTError):
    """A file or text that was handed in is wrong; the message names file and line where there is one."""


class ModelError(HealGPTError):
    """A model cannot be loaded or used."""


class ModelUnavailable(ModelError):
    """The model may answer later: retry."""


class ModelRefused(ModelError):
    """The model will not answer this request unchanged: do not retry."""


class JudgeError(HealGPTError):
    """A judge gave no usable verdict."""
