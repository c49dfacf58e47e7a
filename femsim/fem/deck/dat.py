"""Printed results in the layout of a CalculiX ``.dat`` file, written and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from femsim.errors import InputError
from femsim.fem.deck.deck import Deck, Print
from femsim.fem.deck.material_cards import SWAP
from femsim.fem.deck.solve import StepResult
from femsim.fem.elasticity import strain_rotation
from femsim.fem.elements import element

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HEADS = {
    "U": "displacements (vx,vy,vz) for set {} and time",
    "RF": "forces (fx,fy,fz) for set {} and time",
    "NT": "temperatures for set {} and time",
    "S": "stresses (elem, integ.pnt.,sxx,syy,szz,sxy,sxz,syz) for set {} and time",
    "E": "strains (elem, integ.pnt.,exx,eyy,ezz,exy,exz,eyz) for set {} and time",
    "ME": "mechanical strains (elem, integ.pnt.,exx,eyy,ezz,exy,exz,eyz) for set {} and time",
    "ENER": "internal energy density (elem, integ.pnt.,energy) for set {} and time",
    "ELSE": "internal energy (element, energy) for set {} and time",
    "EVOL": "volume (element, volume) for set {} and time",
    "COORD": "global coordinates (elem, integ.pnt.,x,y,z) for set {} and time",
}
_TOTALS = {"RF": "total force (fx,fy,fz)", "ELSE": "total internal energy", "EVOL": "total volume"}


@dataclass(frozen=True, eq=False)
class Block:
    """One printed table: its title, entity numbers (r, 1) or with integration points (r, 2), values (r, c)."""

    title: str
    time: float
    keys: Ints
    values: Floats

    @property
    def quantity(self) -> str:
        """The first words of the title: "displacements", "stresses", "total force"."""
        return self.title.split("(")[0].split(" for ")[0].strip()


def write_dat(path: Path, deck: Deck, results: Iterable[StepResult]) -> None:
    """Write every requested print of every step."""
    with path.open("w", encoding="ascii") as file:
        for result in results:
            for wanted in result.step.prints:
                for text in _print(deck, result, wanted):
                    file.write(text)


def _print(deck: Deck, result: StepResult, wanted: Print) -> Iterator[str]:
    for variable in wanted.variables:
        if wanted.kind == "node":
            nodes = _members(wanted.set, deck.node_sets, deck.node_ids)
            keys, values, local = _nodal(deck, result, wanted, variable, nodes)
        else:
            cells = _members(wanted.set, deck.cell_sets, deck.cell_ids)
            keys, values, local = _of_cells(deck, result, wanted, variable, cells)
        if wanted.values:
            yield _head(_HEADS[variable].format(wanted.set), result.time)
            yield "".join(_row(k, v, mark) for k, v, mark in zip(keys, values, local, strict=True))
        if wanted.totals and variable in _TOTALS:
            yield _head(f"{_TOTALS[variable]} for set {wanted.set} and time", result.time)
            if variable == "RF":  # totals are in global axes whatever the rows are in
                values = result.forces[nodes]
            yield "      " + _numbers(values.sum(axis=0)) + "\n"


def _members(name: str, sets: object, ids: Ints) -> Ints:
    table: dict[str, Ints] = dict(sets)  # type: ignore[call-overload]
    if name in table:
        return np.sort(table[name])
    return np.flatnonzero(ids == int(name))


def _nodal(
    deck: Deck, result: StepResult, wanted: Print, variable: str, nodes: Ints
) -> tuple[Ints, Floats, list[bool]]:
    nodes = nodes[np.argsort(deck.node_ids[nodes])]
    keys = deck.node_ids[nodes][:, None]
    if variable == "NT":
        temperature = result.step.temperature
        return (
            keys,
            (np.zeros(len(nodes)) if temperature is None else temperature[nodes])[:, None],
            [False] * len(nodes),
        )
    values = (result.motion if variable == "U" else result.forces)[nodes]
    local = deck.transformed[nodes] & (not wanted.global_axes)
    if local.any() and deck.node_axes is not None:
        values = np.where(local[:, None], np.einsum("nij,nj->ni", deck.node_axes[nodes], values), values)
    return keys, values, local.tolist()


def _of_cells(
    deck: Deck, result: StepResult, wanted: Print, variable: str, cells: Ints
) -> tuple[Ints, Floats, list[bool]]:
    cells = cells[np.argsort(deck.cell_ids[cells])]
    solution, shape = result.solution, element(deck.element)
    if variable in ("ELSE", "EVOL"):
        density = solution.energy_density[cells] if variable == "ELSE" else 1.0
        return (
            deck.cell_ids[cells][:, None],
            (density * solution.volume[cells]).sum(axis=1)[:, None],
            [False] * len(cells),
        )
    numbers = np.tile(np.arange(1, shape.points + 1), len(cells))
    keys = np.column_stack([np.repeat(deck.cell_ids[cells], shape.points), numbers])
    local = np.repeat(deck.oriented[cells], shape.points) & (not wanted.global_axes) & (variable in ("S", "E", "ME"))
    values = _at_points(deck, result, variable, cells, wanted.global_axes)
    return keys, values.reshape(len(keys), -1), local.tolist()


def _at_points(deck: Deck, result: StepResult, variable: str, cells: Ints, global_axes: bool) -> Floats:
    solution = result.solution
    if variable == "ENER":
        return solution.energy_density[cells]
    if variable == "COORD":
        return np.einsum("qa,max->mqx", element(deck.element).values, deck.points[deck.cells[cells]])
    field = {"S": solution.stress, "E": solution.strain, "ME": solution.elastic_strain}[variable][cells]
    tensor = np.array(field) if variable == "S" else field / np.array([1, 1, 1, 2, 2, 2])
    if deck.axes is not None and not global_axes:
        turned = np.flatnonzero(deck.oriented[cells])
        tensor[turned] = _turned(tensor[turned], deck.axes[cells[turned]])
    return np.asarray(tensor[..., SWAP])


def _turned(tensor: Floats, axes: Floats) -> Floats:
    """Tensor components (m, q, 6) in local axes; a stress turns as a strain with its shears doubled."""
    twice = np.array([1, 1, 1, 2, 2, 2])
    return np.asarray(np.einsum("mij,mqj->mqi", strain_rotation(axes), tensor * twice) / twice)


def _head(title: str, time: float) -> str:
    return f"\n {title} {_time(time)}\n\n"


def _time(value: float) -> str:
    """Fortran's e14.7: a mantissa below one."""
    if value == 0.0:
        return " 0.0000000E+00"
    exponent = int(np.floor(np.log10(abs(value)))) + 1
    mantissa = f"{value / 10.0**exponent:.7f}"
    if mantissa.lstrip("-").startswith("1"):
        exponent, mantissa = exponent + 1, f"{value / 10.0 ** (exponent + 1):.7f}"
    return f"{mantissa}E{exponent:+03d}".rjust(14)


def _numbers(values: Floats) -> str:
    """Fortran's 1p,(1x,e13.6); an exponent of three digits takes the place of the letter."""
    out = ""
    for value in values:
        text = f"{value:13.6E}"
        mantissa, _, exponent = text.partition("E")
        out += " " + (text if len(exponent) == 3 else f"{mantissa}{exponent}".rjust(13))
    return out


def _row(keys: Ints, values: Floats, local: bool) -> str:
    name = f"{keys[0]:10d}" if len(keys) == 1 else f"{keys[0]:10d} {keys[1]:3d}"
    return name + _numbers(values) + (" L\n" if local else "\n")


def read_dat(path: Path | str, text: str | None = None) -> list[Block]:
    """The tables of a ``.dat`` file.

    Parameters
    ----------
    path : path
        The file; only its name is used where `text` is given.
    text : str, optional
        Its content.

    Raises
    ------
    InputError
        If it holds no table.
    """
    blocks: list[Block] = []
    rows: list[list[str]] = []
    title, time = "", 0.0
    for line in [*(Path(path).read_text() if text is None else text).splitlines(), " end and time 0"]:
        if " time " in line and not line[:12].strip().isdigit():
            if title and rows:
                blocks.append(_block(title, time, rows))
            head, _, value = line.rpartition(" time ")
            title, time, rows = head.strip().removesuffix("and").strip(), float(value), []
        elif line.strip() and title:
            rows.append(line.removesuffix(" L").split())
    if not blocks:
        raise InputError(f"{path} holds no printed table.", "There is nothing to compare with.", "Check the file.")
    return blocks


def _block(title: str, time: float, rows: list[list[str]]) -> Block:
    keys = 0 if title.startswith("total") else 2 if "integ.pnt." in title else 1
    return Block(
        title, time, np.array([[int(f) for f in row[:keys]] for row in rows], np.int64),
        np.array([[_value(f) for f in row[keys:]] for row in rows]),
    )  # fmt: skip


def _value(text: str) -> float:
    try:
        return float(text)
    except ValueError:  # 1.234567-101
        return float(text[0] + text[1:].replace("-", "E-").replace("+", "E+"))
