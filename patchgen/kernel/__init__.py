"""A kernel tree: what it knows of itself, its scripts, and how it is built."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
