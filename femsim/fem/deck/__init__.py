"""Abaqus and CalculiX input decks: read, solved, printed like CalculiX, and written."""

from femsim.fem.deck.dat import Block, read_dat, write_dat
from femsim.fem.deck.deck import Deck, DeckMaterial, Step
from femsim.fem.deck.read import read_deck
from femsim.fem.deck.solve import StepResult, solve_deck, step_model
from femsim.fem.deck.write import per_cell, write_inp

__all__ = [
    "Block",
    "Deck",
    "DeckMaterial",
    "Step",
    "StepResult",
    "per_cell",
    "read_dat",
    "read_deck",
    "solve_deck",
    "step_model",
    "write_dat",
    "write_inp",
]
