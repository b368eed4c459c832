"""Warm kernels: real IPython kernels forked from one process that has imported the notebook stack already.

Naming the kernel ``kbio`` is all that papermill, nbclient or nbval have to do. The pieces, from the outside in:

* :mod:`.provisioner` is the jupyter_client extension (entry point ``kbio-warm``, kernelspec ``kbio``);
* :mod:`.manager` spares nbclient a wait at each start;
* :mod:`.client` finds or starts the fork server and hands back something that behaves like a ``Popen``;
* :mod:`.server` is that process: single-threaded, it forks on request and reports every exit;
* :mod:`.child` turns a fresh fork into a kernel that carries nothing over from the server or its siblings;
* :mod:`.preload` lists what it imports first;
* :mod:`.fingerprint` tells when what the server has imported is out of date;
* :mod:`.wire` is how client and server talk.

A program that renders from several processes opens :func:`shared_server` once, so that its workers fork from
the same server; any other program gets a server of its own at its first kernel, which ends with it.
"""

from kbio_analysis.render.kernels.client import ADDRESS_VARIABLE, Ahead, ForkServer, shared_server

KERNEL_NAME = "kbio"

__all__ = ["ADDRESS_VARIABLE", "KERNEL_NAME", "Ahead", "ForkServer", "shared_server"]
