"""Results in, things to show out: sentences, tables, charts and the recorded headline results.

Notebooks import from here::

    from kbio_analysis.present import answer, record, regression, say, table
    from kbio_analysis.present import figures

Everything shown travels as one MIME bundle (:data:`~kbio_analysis.present.outputs.MIME`) beside an ordinary
fallback, so JupyterLab shows it as it is and the renderer builds the page from the structured part.
"""

from kbio_analysis.present.outputs import answer, record, record_published, regression, say
from kbio_analysis.present.tables import table

__all__ = ["answer", "record", "record_published", "regression", "say", "table"]
