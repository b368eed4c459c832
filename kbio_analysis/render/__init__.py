"""From a notebook and its parameters to a published report; knows nothing of trade or biopharma.

In the order of the work: :mod:`~kbio_analysis.render.parameters` reads and checks, :mod:`~kbio_analysis.render.job`
turns one notebook with one parameter set into files (:mod:`~kbio_analysis.render.execution` runs its cells),
:mod:`~kbio_analysis.render.runner` does so for many, :mod:`~kbio_analysis.render.publish` puts them into the site,
:mod:`~kbio_analysis.render.references` compares them with what was recorded before.
"""
