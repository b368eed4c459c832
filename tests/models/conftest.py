"""Simulators that state their truth."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def dated(values: np.ndarray | list[float], freq: str = "Y", start: str = "2000", name: str = "simulated") -> pd.Series:
    """Values as a period-indexed series."""
    return pd.Series(values, index=pd.period_range(start, periods=len(values), freq=freq), name=name, dtype=float)


def walk(seed: int, n: int, *, growth: float = 0.06, sd: float = 0.1) -> np.ndarray:
    """Positive random walk: log steps normal with mean ``growth`` and standard deviation ``sd``."""
    return 1000 * np.exp(np.cumsum(np.random.default_rng(seed).normal(growth, sd, n)))


def panel(seed: int, n: int, members: int, **kwargs: float) -> pd.DataFrame:
    """``members`` independent walks of ``n`` years, ending in 2024."""
    index = pd.period_range(str(2025 - n), periods=n, freq="Y")
    return pd.DataFrame({f"S{i:03}": walk(seed * 1000 + i, n, **kwargs) for i in range(members)}, index=index)


@pytest.fixture
def series() -> Callable[..., pd.Series]:
    return dated


@pytest.fixture
def walk_values() -> Callable[..., np.ndarray]:
    return walk


@pytest.fixture
def walks() -> Callable[..., pd.DataFrame]:
    return panel
