"""The values of a study: levels combined with each other, samples of distributions, rows of a table, a cohort."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.stats import qmc

from femsim.errors import InputError
from femsim.study.sweep.spec import Sampling, StudySpec, Variation

Floats = NDArray[np.float64]


def points(spec: StudySpec) -> Iterator[dict[str, Any]]:
    """Values by dotted name of every case, in order: cohort, then levels, then paired rows, then samples.

    The bone of a cohort stands as ``bone`` with its name in ``cohort``.
    """
    cohort = [{"cohort": name, "bone": _plain_bone(bone)} for name, bone in spec.cohort.items()] or [{}]
    listed = {name: levels(one) for name, one in spec.vary.items() if not one.sampled}
    grid = [dict(zip(listed, row, strict=True)) for row in itertools.product(*listed.values())]
    rows = [dict(zip(spec.paired, row, strict=True)) for row in zip(*spec.paired.values(), strict=True)] or [{}]
    drawn = samples({name: one for name, one in spec.vary.items() if one.sampled}, spec.sampling)
    for bone, fixed, row, sample in itertools.product(cohort, grid, rows, drawn):
        yield {**bone, **fixed, **row, **sample}


def _plain_bone(bone: Any) -> dict[str, Any]:
    return dict(bone.model_dump(mode="json"))


def levels(one: Variation) -> list[Any]:
    """The listed values of one key."""
    if one.linspace is not None:
        first, last, count = one.linspace
        return [float(value) for value in np.linspace(first, last, count)]
    return list(one.levels or ())


def samples(varied: Mapping[str, Variation], sampling: Sampling) -> list[dict[str, Any]]:
    """Drawn values of all sampled keys together; one empty set where there is none."""
    if not varied:
        return [{}]
    unit = unit_design(len(varied), sampling)
    columns = [transformed(one, unit[:, k]) for k, one in enumerate(varied.values())]
    return [dict(zip(varied, row, strict=True)) for row in zip(*columns, strict=True)]


def unit_design(count: int, sampling: Sampling) -> Floats:
    """Points (n, count) in the unit cube, by the method of the study."""
    if sampling.method == "saltelli":
        return saltelli(count, sampling)
    if sampling.method == "random":
        return np.random.default_rng(sampling.seed).random((sampling.samples, count))
    if sampling.method == "latin_hypercube":
        return np.asarray(qmc.LatinHypercube(count, rng=sampling.seed).random(sampling.samples))
    engine = qmc.Sobol(count, scramble=True, rng=sampling.seed)
    # A power of two is drawn whole and cut: scipy warns of the unbalanced rest, which a user has asked for.
    return np.asarray(engine.random_base2(max(0, math.ceil(math.log2(sampling.samples)))))[: sampling.samples]


def saltelli(count: int, sampling: Sampling) -> Floats:
    """The design from which Sobol indices are estimated, samples x (count + 2) points."""
    from femsim.study.sweep.extras import need

    need("SALib", "sensitivity", "The design of a study with sampling.method = 'saltelli'")
    from SALib.sample import sobol

    problem = {"num_vars": count, "names": [str(k) for k in range(count)], "bounds": [[0.0, 1.0]] * count}
    base = 2 ** math.ceil(math.log2(sampling.samples))
    return np.asarray(sobol.sample(problem, base, calc_second_order=False, seed=sampling.seed))


def transformed(one: Variation, unit: Floats) -> list[Any]:
    """Values of a distribution at the probabilities `unit`."""
    if one.choice is not None:
        return [one.choice[k] for k in np.minimum((unit * len(one.choice)).astype(int), len(one.choice) - 1)]
    if one.uniform is not None:
        low, high = one.uniform
        return [float(value) for value in low + (high - low) * unit]
    law = distribution(one)
    low = 0.0 if one.minimum is None else float(law.cdf(one.minimum))
    high = 1.0 if one.maximum is None else float(law.cdf(one.maximum))
    if not high - low > 1e-6:
        raise InputError(
            f"Nothing is left of a distribution between {one.minimum} and {one.maximum}.",
            "No value can be drawn.",
            "Move minimum and maximum towards its mean.",
        )
    # The ends of an unbounded distribution are infinite; a design may hold exactly 0.
    inside = np.clip(low + (high - low) * unit, 1e-9, 1.0 - 1e-9)
    return [float(value) for value in law.ppf(inside)]


def distribution(one: Variation) -> Any:
    """The frozen scipy distribution of a normal or lognormal key, before it is cut off."""
    if one.normal is not None:
        return stats.norm(*one.normal)
    assert one.lognormal is not None
    mean, deviation = one.lognormal
    shape = math.sqrt(math.log1p((deviation / mean) ** 2))
    return stats.lognorm(s=shape, scale=mean / math.exp(shape**2 / 2.0))
