# The stubs of TensorFlow that type checkers bring along cover a part of it and are wrong elsewhere: to them it is Any.
from typing import Any

def __getattr__(name: str) -> Any: ...
