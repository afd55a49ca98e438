"""A semantic patch over a whole tree: only what can match is parsed, and nothing twice."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
