"""Train your own classifier of videos with words, in Keras 3, and put it into production.

The public names stand in `__init__.pyi`, where type checkers read them too. Each is imported when it is first used:
`import vidmodel_tf` loads neither TensorFlow nor Keras.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
