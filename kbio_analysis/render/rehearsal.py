"""Imported by the process from which local workers are forked: what each of them would do first is done once here.

Importing this module imports the notebook libraries and makes one empty page, so that the templates are compiled,
the notebook format's schema is read and the kernel provisioners are listed before there is a worker.
"""

from __future__ import annotations

from jupyter_client.provisioning import KernelProvisionerFactory

from kbio_analysis.render import execution, page
from kbio_analysis.render.stack import nbformat

__all__ = ["execution", "page"]

_EMPTY_RESULT = {
    "notebook": "00_empty",
    "set": "default",
    "title": "",
    "question": "",
    "answer": None,
    "spark": None,
    "status": "ok",
    "parameters": {},
    "results": {},
    "inputs": {"tables": {}, "code": None, "lock": None, "commit": None, "dirty": None, "versions": {}},
    "seconds": None,
    "error": None,
}

KernelProvisionerFactory.instance()
_notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", id="one")])
nbformat.writes(_notebook)
page.report_html(_notebook, _EMPTY_RESULT, None)
