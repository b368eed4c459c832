"""kbio: the library behind the notebooks on Korea's biopharmaceutical exports and trade agreements.

The rooms, in the order in which they may import one another: :mod:`~kbio_analysis.vocabulary` and
:mod:`~kbio_analysis.errors`, :mod:`~kbio_analysis.notebooks`, :mod:`~kbio_analysis.data`,
:mod:`~kbio_analysis.models`, :mod:`~kbio_analysis.present`, :mod:`~kbio_analysis.render`, :mod:`~kbio_analysis.cli`.
Importing the package itself reads no file and pulls in no scientific library.
"""

__version__ = "0.1.0"
