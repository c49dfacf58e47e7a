"""Whatever a user gets wrong: three lines that say what, why and what to do, an exit code, and no output.

Every case runs through ``check`` and through ``compare``, which must say the same before anything is meshed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import pyvista as pv

from femsim import anatomy, cli
from femsim.errors import FemsimWarning

INPUT, GEOMETRY, MATERIAL, SOLVE, STUDY = 2, 3, 5, 6, 7
TUBE = 'load = "axial_compression"\n[bone]\nkind = "tube"\n'
LESION = '[[lesion]]\nsite = "shaft_middle"\ndiameter = 20\n'
ON_TUBE = TUBE + LESION
CATHETER = ON_TUBE + "[strategies.catheter]\n"
CEMENT = ON_TUBE + "[strategies.cement]\n"

# what is wrong: case file, exit code, words that must stand in the first line
BAD: dict[str, tuple[str, int, str]] = {
    # keys
    "unknown key": ('nmae = "x"', INPUT, "'nmae' is not known. Did you mean 'name'?"),
    "unknown section": ("[msh]\nnear = 2", INPUT, "'msh' is not known. Did you mean 'mesh'?"),
    "unknown key of a section": ("[mesh]\nneer = 2", INPUT, "'mesh.neer' is not known. Did you mean 'near'?"),
    "unknown key of a bone": ("[bone]\nhead_diamter = 50", INPUT, "Did you mean 'head_diameter'?"),
    "unknown key of a lesion": ("[[lesion]]\ndiametre = 30", INPUT, "'lesion 1.diametre' is not known. Did you mean"),
    "unknown key of a strategy": (
        CEMENT + 'materail = "pmma"',
        INPUT,
        "'strategies.cement.materail' is not known. Did",
    ),
    "unknown key of a renamed strategy": (
        ON_TUBE + '[strategies.cement]\nkind = "catheter"\ncuont = 2',
        INPUT,
        "'strategies.cement.cuont' is not known. Did you mean 'count'?",
    ),
    "unknown key inside a strategy": (
        ON_TUBE + "[strategies.cement_and_catheter.filling]\nfill_fracton = 1",
        INPUT,
        "'strategies.cement_and_catheter.filling.fill_fracton' is not known. Did you mean 'fill_fraction'?",
    ),
    "text in place of a section": ('bone = "femur"', INPUT, "bone = 'femur' is not allowed: it should be a section"),
    "list in place of a section": ('strategies = ["cement"]', INPUT, "it should be a section"),
    "text in place of a list": ('lesion = "big"', INPUT, "lesion = 'big' is not allowed"),
    # values
    "negative diameter": ("[[lesion]]\ndiameter = -3", INPUT, "lesion 1.diameter = -3.0"),
    "diameter of zero": (CATHETER + "outer_diameter = 0", INPUT, "outer_diameter = 0.0"),
    "not a number": ("body_mass = nan", INPUT, "body_mass = nan is not finite"),
    "infinite": ("[[lesion]]\ndiameter = inf", INPUT, "lesion 1: diameter = inf is not finite"),
    "not a number as a direction": ("[[lesion]]\ndirection = nan", INPUT, "lesion 1.direction = nan"),
    "not a number in a vector": (CEMENT + "gravity = [1, nan, 0]", INPUT, "gravity 2 = nan"),
    "vector of no length": (CEMENT + "gravity = [0, 0, 0]", INPUT, "it has no length"),
    "text where a number belongs": ('[[lesion]]\ndiameter = "big"', INPUT, "lesion 1: diameter = 'big'"),
    "decimal comma": ('[[lesion]]\ndiameter = "3,5 mm"', INPUT, "diameter = '3,5 mm' cannot be read"),
    "unit alone": ('[[lesion]]\ndiameter = "mm"', INPUT, "diameter = 'mm' cannot be read"),
    "wrong unit": ('[[lesion]]\ndiameter = "3 kg"', INPUT, "diameter = '3 kg' cannot be read as a length"),
    "unknown unit": ('body_mass = "75 kilo"', INPUT, "body_mass = '75 kilo'"),
    "true as a number": (CEMENT + "fill_fraction = true", INPUT, "fill_fraction = true is not allowed"),
    "half a catheter": (CATHETER + "count = 1.5", INPUT, "count = 1.5"),
    "overfull lesion": (CEMENT + "fill_fraction = 1.2", INPUT, "fill_fraction = 1.2"),
    "patient of 0 kg": ("body_mass = 0", INPUT, "body_mass = 0.0 is not allowed"),
    "mesh finer far away": ("[mesh]\nnear = 5\nfar = 1", INPUT, "mesh: far (1 mm) must be at least near (5 mm)"),
    "mesh too fine": ("[mesh]\nnear = 0.001", INPUT, "mesh.near = 0.001"),
    "no solver of that name": ('[solver]\nmethod = "magic"', INPUT, "solver.method = 'magic'"),
    "no thread": ("[solver]\nthreads = 0", INPUT, "solver.threads = 0"),
    "no strategy": ("strategies = {}", INPUT, "strategies: at least one is needed"),
    "strategy named like a path": ('[strategies."../x"]\nkind = "cement"', INPUT, "'../x' cannot name a strategy"),
    "strategy of no kind": ("[strategies.mine]\ncount = 2", INPUT, "strategies.mine has no kind"),
    "strategy of an unknown kind": (
        '[strategies.x]\nkind = "cemnt"',
        INPUT,
        "'cemnt' is not known. Did you mean 'cement'?",
    ),
    "bone of an unknown kind": (
        '[bone]\nkind = "femr"',
        INPUT,
        "bone.kind = 'femr' is not known. Did you mean 'femur'?",
    ),
    "unknown load": ('load = "wlking"', INPUT, "load = 'wlking' is not known. Did you mean 'walking'?"),
    "load of another bone": ('load = "walking"\n[bone]\nkind = "tube"\n' + LESION, INPUT, "'walking' is for"),
    # materials
    "unknown material": ("[materials.pmmma]\nE = 1", INPUT, "material = 'pmmma' is not known. Did you mean 'pmma'?"),
    "unknown material of a wall": (CATHETER + 'wall_material = "polyurethan"', INPUT, "Did you mean 'polyurethane'?"),
    "unknown property": ("[materials.pmma]\nEE = 1", MATERIAL, "property = 'EE' is not known. Did you mean 'E'?"),
    "negative modulus": ("[materials.pmma]\nE = -1", MATERIAL, "pmma.E = -1.0 MPa"),
    "modulus not a number": ("[materials.pmma]\nE = nan", INPUT, "materials.pmma.E = nan"),
    "modulus in kg": ('[materials.pmma]\nE = "3 kg"', INPUT, "pmma.E = '3 kg'"),
    "Poisson's ratio of 0.6": ("[materials.pmma]\nnu = 0.6", MATERIAL, "nu = 0.6"),
    "unstable anisotropy": ("[materials.cortical_bone]\nE_axial = 100", MATERIAL, "not stable"),
    # bones
    "femur too long": ("[bone]\nlength = 900", GEOMETRY, "length = 900"),
    "femur without a canal": ("[bone]\ncortical_thickness = 12\nshaft_ml = 20", GEOMETRY, "leaves a canal of"),
    "femur with a neck as wide as its head": ("[bone]\nneck_diameter = 42", GEOMETRY, "too wide for a head"),
    "tube without a wall": (TUBE + "inner_diameter = 28", INPUT, "inner_diameter (28 mm) must be smaller"),
    "surface without a file": ('[bone]\nkind = "surface"', INPUT, "'bone.periosteum' is missing"),
    "surface without a cortex": (
        '[bone]\nperiosteum = "tiny.stl"',
        INPUT,
        "either an endosteum or a cortical_thickness",
    ),
    # lesions
    "lesion outside the bone": (TUBE + '[[lesion]]\nsite = "shaft_middle"\ndepth = -40', GEOMETRY, "outside the tube"),
    "unknown site": (TUBE + '[[lesion]]\nsite = "shaft_midle"', INPUT, "site = 'shaft_midle'"),
    "unknown direction": (TUBE + '[[lesion]]\ndirection = "left"', INPUT, "direction = 'left' is not known"),
    "unknown shape": (TUBE + '[[lesion]]\nshape = "cube"', INPUT, "shape = 'cube'"),
    "position past the end": (TUBE + "[[lesion]]\nposition = 105", INPUT, "lesion 1.position = 105"),
    "two sizes": (ON_TUBE + "width_fraction = 0.5\naxial_involvement = 20", INPUT, "each fix the size"),
    "hole of no depth": (ON_TUBE + 'shape = "hole"\ndepth = 0', INPUT, "depth = 0"),
    "too many lesions": (TUBE + LESION * 70, GEOMETRY, "71 different solids"),
    "nothing to fill": ("lesion = []\n" + TUBE + "[strategies.cement]", INPUT, "on a bone without a lesion"),
    # devices
    "catheter wider than the canal": (CATHETER + "outer_diameter = 15", GEOMETRY, "wider than the canal"),
    "catheter without a lumen": (CATHETER + "wall_thickness = 2", INPUT, "leaves no lumen"),
    "catheter past the end": (CATHETER + "past_lesion = 150", GEOMETRY, "60 mm past the distal end"),
    "too many catheters": (CATHETER + "count = 6", GEOMETRY, "The bundle of 6 catheters is wider"),
    "far too many catheters": (CATHETER + "count = 13", INPUT, "count = 13"),
    "catheter pushed into the cortex": (CATHETER + 'position = "lateral"\noffset = 20', GEOMETRY, "shifted by 20.0 mm"),
    "offset without a position": (CATHETER + "offset = 2", INPUT, "offset needs a position"),
    "voids larger than the cement": (CEMENT + "void_fraction = 0.1\nvoid_diameter = 20", GEOMETRY, "One void of 20 mm"),
    # the file itself
    "broken TOML": ("diameter = 30 mm", INPUT, "not valid TOML"),
    "key given twice": ("body_mass = 70\nbody_mass = 80", INPUT, "not valid TOML"),
    "date as a load": ("load = 2020-01-01", INPUT, "load = datetime.date"),
    "number past all bounds": ("body_mass = 1" + "0" * 400, INPUT, "is not finite"),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, what: str) -> list[str]:
    """Run femsim, and check that it refuses as it should."""
    before = sorted(str(path) for path in Path().rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FemsimWarning)
        assert cli.main(arguments) == code
    printed = capsys.readouterr()
    lines = printed.err.rstrip("\n").split("\n")
    assert len(lines) == 3, printed.err
    assert lines[0].startswith("error: ")
    assert what in lines[0]
    assert all(line.startswith("  ") and len(line) > 8 for line in lines[1:])
    assert not printed.out
    assert "Traceback" not in printed.err
    assert sorted(str(path) for path in Path().rglob("*")) == before
    return lines


@pytest.mark.parametrize("name", BAD)
def test_bad_case(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text, code, what = BAD[name]
    (here / "case.toml").write_text(text)
    lines = refused(capsys, ["check", "case.toml"], code, what)
    assert refused(capsys, ["compare", "case.toml", "-o", "out"], code, what) == lines


# --- files


def test_bad_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "folder").mkdir()
    (here / "binary.toml").write_bytes(bytes(range(256)))
    for name, what in (("none.toml", "No such file"), ("folder", "directory"), ("binary.toml", "not a text file")):
        refused(capsys, ["check", name], INPUT, what)
        refused(capsys, ["compare", name], INPUT, what)


def tall(radius: float = 14.0) -> tuple[np.ndarray, np.ndarray]:
    mesh = pv.Cylinder(radius=radius, height=300, direction=(0, 0, 1), resolution=40).triangulate().subdivide(1)
    return np.asarray(mesh.points, float), mesh.regular_faces


def save(path: Path, points: np.ndarray, faces: np.ndarray) -> bytes:
    pv.PolyData.from_regular_faces(points, faces).save(path)
    return path.read_bytes()


SURFACES = {
    "empty": (lambda p, f, d: b"", INPUT, "holds no triangles"),
    "cut short": (lambda p, f, d: d[: len(d) // 2], INPUT, "triangles that can be understood"),
    "text": (lambda p, f, d: b"hello", INPUT, "cannot be read"),
    "no triangle": (lambda p, f, d: d[:80] + bytes(4), INPUT, "holds no triangles"),
    "not a number": (lambda p, f, d: d[:96] + np.float32("nan").tobytes() + d[100:], INPUT, "cannot be read"),
    "open": (lambda p, f, d: (p, f[60:]), GEOMETRY, "is open"),
    "two bones": (lambda p, f, d: (np.vstack([p, p + 100]), np.vstack([f, f + len(p)])), GEOMETRY, "2 components"),
    "flat": (lambda p, f, d: (p * [1, 1, 0] + p[:, [2, 2, 2]] * [1, 0, 0], f), GEOMETRY, "flat"),
    "no femur": (lambda p, f, d: d, GEOMETRY, "does not have the shape of a femur"),
    "of no known unit": (lambda p, f, d: (p / 30, f), GEOMETRY, "10.0867 units long"),
    "three at an edge": (
        lambda p, f, d: (np.vstack([p, [[50, 0, 0]]]), np.vstack([f, [[*f[0][:2], len(p)]]])),
        GEOMETRY,
        "three",
    ),
    "a ball": (lambda p, f, d: (p / np.linalg.norm(p, axis=1)[:, None] * 100, f), GEOMETRY, "No joint head is found"),
}  # fmt: skip


@pytest.mark.parametrize("name", SURFACES)
def test_bad_surface(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, code, what = SURFACES[name]
    points, faces = tall()
    made = make(points, faces, save(here / "bone.stl", points, faces))
    if isinstance(made, bytes):
        (here / "bone.stl").write_bytes(made)
    else:
        save(here / "bone.stl", *made)
    (here / "case.toml").write_text('[bone]\nperiosteum = "bone.stl"\ncortical_thickness = 4\n')
    refused(capsys, ["check", "case.toml"], code, what)


@pytest.mark.parametrize(
    ("bone", "code", "what"),
    [
        ('periosteum = "none.stl"\ncortical_thickness = 4', INPUT, "none.stl is not there"),
        ('periosteum = "case.toml"\ncortical_thickness = 4', INPUT, "of a type that is not read"),
        ('periosteum = "m.stl"\nunits = "mm"\ncortical_thickness = 4', GEOMETRY, "0.302602 mm long when read in mm"),
        ('periosteum = "m.stl"\nunits = "inch"\ncortical_thickness = 4', INPUT, "bone.units = 'inch'"),
        ('periosteum = "m.stl"\ncortical_thickness = 40', INPUT, "cortical_thickness = 40"),
    ],
)
def test_bad_reference_to_a_surface(
    here: Path, capsys: pytest.CaptureFixture[str], bone: str, code: int, what: str
) -> None:
    points, faces = tall()
    save(here / "m.stl", points / 1000, faces)
    (here / "case.toml").write_text(f"[bone]\n{bone}\n")
    refused(capsys, ["check", "case.toml"], code, what)


def test_inside_out_bone_in_metres_is_repaired_and_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points, faces = anatomy.femur().surface
    save(here / "bone.stl", points / 1000, faces[:, ::-1])
    (here / "case.toml").write_text('[bone]\nperiosteum = "bone.stl"\ncortical_thickness = 5\n')
    assert cli.main(["check", "case.toml", "--json"]) == 0
    told = " ".join(json.loads(capsys.readouterr().out)["warnings"])
    assert "inside out" in told
    assert "taken as m" in told


# --- outputs


@pytest.mark.parametrize(
    ("out", "what"),
    [
        ("case.toml", "is a file"),
        ("case.toml/out", "case.toml"),
        ("full", "thesis.doc"),
        ("/proc/out", "cannot be written"),
    ],
)
def test_bad_output(here: Path, capsys: pytest.CaptureFixture[str], out: str, what: str) -> None:
    if out.startswith("/proc") and not Path("/proc").is_dir():
        pytest.skip("there is no /proc here")
    (here / "case.toml").write_text(ON_TUBE)
    (here / "full").mkdir()
    (here / "full/thesis.doc").write_text("years of work")
    refused(capsys, ["compare", "case.toml", "-o", out], STUDY, what)


LOOSE = """*NODE
1,0,0,0
2,1,0,0
3,0,1,0
4,0,0,1
5,5,0,0
6,6,0,0
7,5,1,0
8,5,0,1
*ELEMENT, TYPE=C3D4, ELSET=BONE
1,1,2,3,4
*ELEMENT, TYPE=C3D4, ELSET=CEMENT
2,5,6,7,8
*MATERIAL, NAME=M
*ELASTIC
1000.,0.3
*SOLID SECTION, ELSET=BONE, MATERIAL=M
*SOLID SECTION, ELSET=CEMENT, MATERIAL=M
*BOUNDARY
1,1,3
2,2,3
3,3
*STEP
*STATIC
*CLOAD
4,3,1.
8,3,1.
*END STEP
"""


def test_unconstrained_compartment(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A deck whose cement touches nothing. In a case of femsim's own every compartment is bonded to its neighbours."""
    (here / "loose.inp").write_text(LOOSE, encoding="utf-8")
    lines = refused(capsys, ["solve", "loose.inp", "-o", "loose.vtu"], SOLVE, "Part 2 of 2")
    assert "(5, 0, 0) mm) can move freely" in lines[0]
    assert not (here / "loose.vtu").exists()


@pytest.fixture
def small_disk(tmp_path: Path):  # type: ignore[no-untyped-def]
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=96k", "femsim-test", str(place)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a small disk can be mounted by root on Linux only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_full_disk(small_disk: Path) -> None:
    """VTK ends the whole process on a full disk where it is let near the file."""
    from femsim.errors import StudyError
    from femsim.mesh import Mesh
    from femsim.study.export import write_vtu
    from femsim.study.output import complete_folder

    points = np.random.default_rng(0).random((30000, 3))
    cells = np.arange(30000).reshape(-1, 10)
    fields = {"displacement": points}
    mesh = Mesh(points, cells, "tet10", (), np.zeros(len(cells), np.uint64), {}, {})
    with pytest.raises(StudyError, match="No space left"), complete_folder(small_disk / "out") as folder:
        write_vtu(folder / "solution.vtu", mesh, fields)
    assert not list(small_disk.iterdir())


# --- the command line itself


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["compair"], "Did you mean 'compare'?"),
        (["check", "--jsno"], "--json"),
        (["check", "a.toml", "b.toml"], "b.toml"),
        (["compare", "-o"], "requires an argument"),
        (["info", "matrials"], "'matrials'"),
    ],
)
def test_bad_command(here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], what: str) -> None:
    refused(capsys, arguments, INPUT, what)


def test_errors_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "case.toml").write_text("body_mass = 0")
    assert cli.main(["check", "case.toml", "--json"]) == INPUT
    printed = capsys.readouterr()
    assert not printed.out
    assert set(json.loads(printed.err)) == {"error", "what", "why", "do"}


def femsim(*arguments: str, **more) -> subprocess.CompletedProcess[str]:  # type: ignore[no-untyped-def]
    return subprocess.run(
        [sys.executable, "-m", "femsim", *arguments], capture_output=True, text=True, check=False, **more
    )


def test_as_a_process(tmp_path: Path) -> None:
    template = femsim("new")
    assert template.returncode == 0
    assert not template.stderr
    (tmp_path / "case.toml").write_text(template.stdout.replace("body_mass = 75.0", "body_mass = -1"))
    run = femsim("compare", "case.toml", cwd=tmp_path)
    assert (run.returncode, len(run.stderr.splitlines()), run.stdout) == (INPUT, 3, "")
    assert [path.name for path in tmp_path.iterdir()] == ["case.toml"]


def test_reader_that_leaves_early() -> None:
    """``femsim info materials | head -1``"""
    with subprocess.Popen(
        [sys.executable, "-m", "femsim", "info", "materials", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        assert run.stderr.read() == b""
        assert run.wait() == 1


@pytest.mark.parametrize("what", ["materials", "loads", "treatments", "criteria", "bones", "fields", "env"])
def test_info(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["info", what, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows
    assert cli.main(["info", what]) == 0
    assert len(capsys.readouterr().out.splitlines()) > len(rows) / 2


def test_new_and_check(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["new", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["body_mass"] == 75.0
    (here / "empty.toml").write_text("")
    assert cli.main(["check", "empty.toml"]) == 0
    told = capsys.readouterr().out
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out == told
    assert "The case can be run." in told
