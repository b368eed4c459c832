"""Pure estimators: frames and arrays in, frozen results out; no disk, no print, no figure, no global state.

One method a module. :mod:`.growth` is arithmetic; :mod:`.nowcast` reads the year under way from its months,
:mod:`.growth_predictive` the years after it from many exporters, and :mod:`.export_target` the chance of a target from
both.
"""
