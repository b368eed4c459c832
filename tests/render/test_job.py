"""A report as a pure job: bytes in, bytes out, the same bytes again, and every failure told."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from render.fixtures.built import STATE, emitting, job, made, notebook, recording
from render.fixtures.room import ROOT

from kbio_analysis.render.child import StoppedError
from kbio_analysis.render.job import Report, failed, prepare, run
from kbio_analysis.render.provenance import package_hash, provenance

CHATTY = (
    "import os, sys, time, warnings\n"
    "print(os.getcwd(), object(), os.getenv('IPYTHONDIR'))\n"
    "warnings.warn('careful')\n"
    "for part in 'abc':\n    print(part, flush=True); time.sleep(0.02)\n    print(part, file=sys.stderr, flush=True)\n"
    "set('kbio analysis')"
)
CHART = {"kind": "chart", "id": "fan", "svg": "<svg/>", "csv": "year,v\n2024,1\n"}
CELLS = (recording("growth_pct", "size / 8"), emitting(kind="answer", text="It **does**."), emitting(**CHART), CHATTY)


@pytest.fixture(scope="module")
def whole() -> Report:
    return made(*CELLS, given={"size": "4"})


def test_the_result_says_all_that_the_design_promises(whole: Report) -> None:
    result, inputs = whole.result, whole.result["inputs"]
    assert json.loads(whole.files["result.json"]) == result
    assert set(whole.files) == {"index.html", "executed.ipynb", "result.json", "log.txt"}
    about = {"notebook": "10_sample", "set": "default", "status": "ok", "error": None}
    assert {name: result[name] for name in about} == about
    assert result["parameters"] == {"size": 4, "name": "a"}
    assert result["results"] == {"growth_pct": {"value": 0.5, "unit": "%", "meaning": "m"}}
    assert (result["question"], result["title"], result["answer"]) == ("Does it run?", "Does it run?", "It does.")
    assert result["seconds"] > 0
    assert (inputs["tables"], inputs["lock"], inputs["commit"], inputs["dirty"]) == ({}, None, None, None)
    assert len(inputs["code"]) == 64
    assert inputs["versions"]["python"] == sys.version.split()[0]


def test_two_builds_give_the_same_bytes_and_none_names_the_machine(whole: Report) -> None:
    again = made(*CELLS, given={"size": "4"})
    for name in ("index.html", "executed.ipynb"):
        assert again.files[name] == whole.files[name]
        for trace in ("/tmp", "ipykernel_", "/kbio-", sys.prefix, " at 0x", "papermill"):
            assert trace not in whole.files[name].decode(), (name, trace)
    assert b"<cell 6>:3: UserWarning: careful" in whole.files["executed.ipynb"]


def test_what_goes_wrong_inside_or_outside_gives_a_report_of_the_same_form(whole: Report) -> None:
    twice = made(recording("a", "1"), recording("a", "2"))
    assert "cell 3: result 'a' is shown a second time" in twice.failure
    broken = run(replace(job(notebook("1")), source=b"{}"))
    assert broken.failure.startswith("ParameterError: 10_sample: not a notebook file")
    assert broken.result["inputs"]["code"] == STATE["code"]  # of the package alone
    lost = failed(job(notebook("1")), StoppedError(status="killed", kind="WorkerDied", reason="it was killed"))
    assert lost.failure == "WorkerDied: it was killed"
    for report, status in ((twice, "failed"), (broken, "failed"), (lost, "killed")):
        assert (report.status, set(report.files)) == (status, {"result.json", "log.txt"})
        assert set(report.result) == set(whole.result)


def test_the_notebook_is_built_from_the_source_each_time() -> None:
    old = json.loads(notebook("1"))
    old["nbformat_minor"] = 4
    del old["metadata"], old["cells"][0]["metadata"]
    for cell in old["cells"]:
        del cell["id"]
    old["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "stale"}]
    source = b"\xef\xbb\xbf" + json.dumps(old).encode()  # as some editors save it
    first, second = (prepare("10_sample", source, {"size": 4, "name": "b'\"\n"}) for _ in range(2))
    assert first == second
    assert [cell.get("execution_count") for cell in first.cells] == [None] * 4
    assert first.cells[3].outputs == []
    values: dict[str, object] = {}
    exec(first.cells[2].source, values)
    assert (values["size"], values["name"]) == (4, "b'\"\n")
    assert first.cells[2].metadata.tags == ["injected-parameters"]


def test_provenance_is_of_the_folder_whatever_repository_the_environment_names(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(ROOT / ".git"))
    assert provenance(tmp_path) == STATE | {"code": package_hash()}
    (tmp_path / "requirements.lock").write_bytes(b"pin")
    (tmp_path / "notebooks").mkdir()
    assert provenance(tmp_path / "notebooks")["lock"] == hashlib.sha256(b"pin").hexdigest()
    for line in ("init -q", "-c user.name=a -c user.email=a@b commit -q --allow-empty -m x"):
        subprocess.run(["env", "-u", "GIT_DIR", "git", "-C", str(tmp_path), *line.split()], check=True)
    assert len(provenance(tmp_path)["commit"]) == 40
