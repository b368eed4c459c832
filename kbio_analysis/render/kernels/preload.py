"""What the fork server imports, so that no kernel has to; ``package.*`` stands for a package with all its modules."""

PRELOAD = (
    "ipykernel.kernelapp",  # and what a kernel imports on its way to the first cell:
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
    "tornado.queues",
    "encodings.idna",
    "pyarrow",
    "pandas",
    "scipy.stats",
    "scipy.optimize",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "statsmodels.api",
    "statsmodels.formula.api",
    "statsmodels.tsa.api",
    "pandera.pandas",
    "pandera.backends.pandas.builtin_checks",  # and what pandera imports at its first check
    "pyarrow.pandas_compat",
    "yaml",
    "arch.bootstrap",
    "kbio_analysis.render.kernel_main",
    "kbio_analysis.render.portless",
    "kbio_analysis.vocabulary",
    "kbio_analysis.data.*",
    "kbio_analysis.models.*",
    "kbio_analysis.present.*",
)
