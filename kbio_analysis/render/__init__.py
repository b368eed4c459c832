"""From a notebook and its parameters to a published report; knows nothing of trade or biopharma.

In the order of the work: :mod:`~kbio_analysis.render.requests` reads what is asked for,
:mod:`~kbio_analysis.render.build` finds what is due, :mod:`~kbio_analysis.render.job` (or, elsewhere,
:mod:`~kbio_analysis.render.cluster`) makes each report in a process of its own: :mod:`~kbio_analysis.render.forks`
starts and ends it, :mod:`~kbio_analysis.render.engine` runs the cells. :mod:`~kbio_analysis.render.publish` puts a
report into the site.
"""
