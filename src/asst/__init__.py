"""asst finds the moment in a video that an English sentence describes.

>>> from asst import Moment
>>> Moment(12.5, 18.0).duration_s
5.5
"""

from asst._version import __version__
from asst.errors import InputError
from asst.moments import Moment

__all__ = ["InputError", "Moment", "__version__"]
