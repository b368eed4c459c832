"""``python -m kbio_analysis`` is ``kbio``."""

from kbio_analysis.cli import main

if __name__ == "__main__":
    main()
