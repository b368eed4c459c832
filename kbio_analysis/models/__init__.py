"""Pure estimators: frames and arrays in, frozen results out; no disk, no print, no figure, no global state.

One method a module. :mod:`.growth` is arithmetic; :mod:`.forecast` is the entry to the forecasting models of
:mod:`.point_models` (on :mod:`.smoothing` and :mod:`.season`), whose widths come from :mod:`.conformal` and
:mod:`.predictive`; :mod:`.backtest` and :mod:`.scores` measure them; :mod:`.targets` turns
simulated paths into probabilities; :mod:`.growth_reference` asks what comparable exporters did.
"""
