"""``python -m kbio_analysis.render.kernel_main -f CONNECTION_FILE``: ipykernel without a port."""

import os
import sys

if __name__ == "__main__":
    # What lies in the folder it was started in shadows no library; the kernel adds that folder behind them.
    if sys.path[0] in ("", os.getcwd()):
        del sys.path[0]

    from ipykernel import kernelapp

    from kbio_analysis.render.portless import Portless

    kernelapp.IOPubThread = Portless
    kernelapp.launch_new_instance()
