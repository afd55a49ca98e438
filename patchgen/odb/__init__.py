"""Git's object database: read trees, write commits aside, publish them by one ref update."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
