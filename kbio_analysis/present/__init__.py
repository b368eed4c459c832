"""Numbers in, things to show out: words, sentences, tables, charts and the results on record.

Notebooks import from the modules. Importing any of them inside IPython makes the ``%%say`` cell known. Everything shown
travels as one MIME bundle (:mod:`~kbio_analysis.present.outputs`) beside an ordinary form, so that JupyterLab shows it
as it is and the renderer builds the page from the structured part.
"""

from kbio_analysis.present.prose import register

register()
