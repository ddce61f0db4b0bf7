"""Simulation engines: readable reference and CPU kernels, from one set of equations."""

from vbiflow.engine.draws import simulate_draws
from vbiflow.engine.linearisation import Linearisation, linearise
from vbiflow.engine.simulate import DEVICES, Simulations, simulate

__all__ = ["DEVICES", "Linearisation", "Simulations", "linearise", "simulate", "simulate_draws"]
