"""The command line as an operator uses it: with a daemon, without one, wrongly, in a terminal and through pipes."""

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.decoding import Asked
from pipeline.cli.decoding import run as decode
from tests import needs
from tests.pipeline.terminal import COLOUR, catchment, environment, in_pipes, in_terminal
from tests.pipeline.watched import WEB, Watched

MISSING = f"missing|service=web|prefix={WEB}|region=weu"
LOADED = "import sys\nsys.argv = ['catchment', '--help']\nfrom pipeline.cli import main\n"
HEAVY = ("numba", "numpy", "pyarrow", "duckdb", "nicegui", "fastapi", "pydantic", "aiohttp", "ruamel", "rich", "lab")
COMMANDS = (
    "run",
    "check",
    "schema",
    "learn",
    "gobgp",
    "reload",
    "status",
    "findings",
    "history",
    "decode",
    "replay",
    "responder",
    "sites",
)
LAB = ("up", "down", "status", "fault", "heal")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A daemon that has seen a withdrawal: `missing` is open, all else is as it should be."""
    made = Watched(tmp_path_factory.mktemp("cli"))
    try:
        made.start()
        made.healthy()
        made.wait(lambda: made.presence("weu") == made.presence("eus") == "present", what="both present")
        time.sleep(2)
        made.withdraw("weu")
        made.wait(lambda: MISSING in made.findings("open"), what="missing open")
        yield made
    finally:
        made.close()


def _data(watched: Watched) -> str:
    return str(watched.folder / "data")


# Help.


def test_help_loads_nothing_heavy() -> None:
    ask = f"{LOADED}try:\n    main()\nexcept SystemExit as left:\n    assert left.code == 0, left.code\n"
    ask += f"sys.stderr.write(','.join(name for name in {HEAVY!r} if name in sys.modules))\n"
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True, env=environment())
    assert done.stderr == ""
    assert "learn" in done.stdout
    loads = f"import rich.table\n{ask}"
    assert "rich" in subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True).stderr


def test_every_command_has_help_that_fits_and_can_print_json() -> None:
    asked = [(name,) for name in COMMANDS] + [("lab", name) for name in LAB]
    for words in asked:
        said = catchment(*words, "--help")
        assert said.code == 0
        assert "--json" in said.out, words
        assert max(map(len, said.lines)) <= 80, words
    for said in (catchment("--help"), catchment("lab", "--help")):
        assert not any(line.endswith("...") for line in said.lines[1:]), "a description is cut"


def test_a_wrong_word_is_a_sentence_and_2() -> None:
    assert (
        catchment("nonsense").code
        == catchment("status", "--nope").code
        == catchment("lab", "up", "--timers", "x").code
        == 2
    )
    said = catchment("findings", "--state", "bogus")
    assert (said.code, said.out) == (2, "")
    assert "'pending', 'open', 'cleared'" in said.err


# Without a daemon.


@pytest.mark.parametrize("words", [("status",), ("findings",), ("learn",), ("reload",)])
def test_without_a_daemon_it_says_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    said = catchment(*words, "--data", str(tmp_path))
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"catchment {words[0]}: no daemon answers at {tmp_path}/catchment.sock; start one with "
        "`catchment run -c FILE`, or name its data folder with --data\n"
    )


def test_the_data_folder_comes_from_the_environment(tmp_path: Path) -> None:
    assert f"{tmp_path}/catchment.sock" in in_pipes("status", CATCHMENT_DATA=str(tmp_path)).err
    assert "at data/catchment.sock" in in_pipes("status", folder=tmp_path).err


def test_history_of_no_data_says_so(tmp_path: Path) -> None:
    said = catchment("history", "--data", str(tmp_path / "nope"))
    assert (said.code, said.out) == (2, "")
    assert (
        said.err == f"catchment history: {tmp_path}/nope holds no data of Catchment; name the data folder with --data\n"
    )
    (tmp_path / "file").write_text("")
    said = catchment("history", "--data", str(tmp_path / "file"))
    assert said.err == f"catchment history: {tmp_path}/file is no folder; name the data folder with --data\n"
    (tmp_path / "ledger.sqlite").write_text("this is not a database at all, and long enough to be looked at as one")
    assert "cannot be read: file is not a database" in catchment("history", "--data", str(tmp_path)).err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("10.0.0.1/8",), "'10.0.0.1/8' has host bits set; the network is 10.0.0.0/8"),
        (("web",), "'web' is not a prefix such as 10.250.0.10/32"),
        (("--from", "yesterday"), "'yesterday' is no time; write 2026-01-31T08:00:00Z, or 6h for six hours ago"),
        (("--from", "2026-01-31T08:00:00"), "(with its zone: Z is UTC)"),
        (("--from", "999999999d"), "outside 1970 to 2261"),
        (("--from", "1h", "--to", "2h"), "must be before --to"),
        (("--at", "5m"), "--at asks for the state of a prefix; name one, such as 10.250.0.10/32"),
    ],
)
def test_a_question_that_makes_no_sense_is_answered_with_what_would(words: tuple[str, ...], sentence: str) -> None:
    said = catchment("history", *words)
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.startswith("catchment history: ")


# With a daemon, in a terminal.


@pytest.mark.parametrize(
    "words",
    [("status",), ("status", "--all"), ("findings",), ("history",), ("history", WEB), ("history", WEB, "--at", "0s")],
)
def test_everything_fits_into_80_columns_and_breaks_no_word(watched: Watched, words: tuple[str, ...]) -> None:
    said = in_terminal(*words, "--data", _data(watched))
    wide = catchment(*words, "--data", _data(watched))
    assert said.code == wide.code == (1 if words[0] in ("status", "findings") else 0)
    assert max(map(len, said.lines)) <= 80
    assert all(line == line.rstrip() for line in said.lines)
    known = set(wide.out.split())
    assert {word for line in said.lines for word in line.split() if not any(sign.isdigit() for sign in word)} <= known


def test_colours_come_in_a_terminal_only_and_not_where_they_are_unwanted(watched: Watched) -> None:
    data = _data(watched)
    assert "\x1b[31m" in in_terminal("status", "--data", data).out
    assert not any("3" in code for code in COLOUR.findall(in_terminal("status", "--data", data, NO_COLOR="1").out))
    assert "\x1b" not in in_pipes("status", "--data", data).out
    assert "\x1b[31m" in in_pipes("status", "--data", data, FORCE_COLOR="1").out


def test_status_tells_services_sites_feeds_and_sessions(watched: Watched) -> None:
    said = catchment("status", "--data", _data(watched))
    rows = [line.split() for line in said.lines]
    assert ["web", WEB, "degraded", "weu", "active", "absent", "0/1"] in rows
    assert ["eus", "active", "present", "1/1"] in rows
    assert any(row[:4] == ["gobgp/weu-rs0", "V2", "10.10.255.4", "up"] for row in rows)
    assert any(row[:3] == ["gobgp", "127.0.7.1", "connected"] for row in rows)
    assert any(row[:2] == ["ams-ce1", "-"] and "not" in row for row in rows)
    assert "open finding" in said.out
    assert str(watched.intent) in said.out


def test_a_finding_reads_from_what_to_why_to_what_to_do(watched: Watched) -> None:
    lines = catchment("findings", "--data", _data(watched)).lines
    start = next(number for number, line in enumerate(lines) if line.startswith("major    missing  open for"))
    told = lines[start : lines.index("", start) if "" in lines[start:] else None]
    assert told[1] == f"         web {WEB}: weu (active) does not advertise it"
    assert any(line.startswith("         - V1 gobgp/weu-nva1: absent since") for line in told)
    assert told[-2].startswith("         > Find the first rung without the route.")
    assert told[-1] == "         docs/runbooks/missing.md"
    assert not any("T0" in line and "Z" in line for line in told), "times are for people"


def test_no_finding_in_a_state_is_said_in_words(watched: Watched) -> None:
    said = catchment("findings", "--state", "cleared", "--data", _data(watched))
    assert (said.code, said.out) == (0, "No finding is cleared.\n")


def test_json_is_one_document_for_programs(watched: Watched) -> None:
    data = ("--json", "--data", _data(watched))
    status = json.loads(catchment("status", *data).out)
    assert status["intent"]["source"] == str(watched.intent)
    assert status["intent"]["problem"] is None
    assert [service["service"] for service in status["services"]] == ["web"]
    assert MISSING in {record["key"] for record in json.loads(catchment("findings", *data).out)}
    events = json.loads(catchment("history", WEB, *data).out)
    assert {"announced", "withdrawn", "opened"} <= {event["what"] for event in events}
    held = json.loads(catchment("history", WEB, "--at", "0s", *data).out)
    assert {row["presence"] for row in held if row["peer"] == "10.10.255.4"} == {"absent"}
    assert {row["presence"] for row in held if row["peer"] == "10.20.255.4"} == {"present"}


def test_history_through_a_pipe_is_a_line_an_event_and_the_newest_when_there_are_many(watched: Watched) -> None:
    whole = catchment("history", WEB, "--data", _data(watched))
    assert all(line[2] == line[5] == ":" for line in whole.lines)
    some = catchment("history", WEB, "--limit", "3", "--data", _data(watched))
    assert some.lines == whole.lines[-3:]
    assert some.err == "only the last 3 events of them; --limit shows more, --from and --to fewer\n"
    assert whole.err == ""


def test_history_of_a_time_before_all_sight_says_that_nothing_is_known(watched: Watched) -> None:
    said = catchment("history", WEB, "--at", "300d", "--data", _data(watched))
    assert said.code == 0
    assert said.out.startswith(f"Nothing is known of {WEB} at ")
    assert catchment("history", "192.0.2.0/24", "--data", _data(watched)).out.startswith(
        "Nothing happened to 192.0.2.0/24"
    )


def test_a_reader_that_has_enough_ends_a_command_quietly(watched: Watched) -> None:
    command = f"{sys.executable} -m pipeline history --data {_data(watched)} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, env=environment())
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


# The intent file.


def test_learn_writes_what_check_takes_and_never_over_a_file(watched: Watched, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    said = catchment("learn", "-o", str(path), "--data", _data(watched))
    assert said.code == 0
    assert f"wrote {path}" in said.err
    assert "not connected, so nothing is known of: ams-ce1" in said.err
    text = path.read_text()
    assert catchment("check", str(path)).lines[-1].startswith(f"{path}: 0 errors")
    again = catchment("learn", "-o", str(path), "--data", _data(watched))
    assert (again.code, path.read_text()) == (2, text)
    assert again.err.splitlines()[-1] == f"catchment learn: {path} exists; name a file that does not"
    elsewhere = catchment("learn", "-o", str(tmp_path / "no" / "mine.yaml"), "--data", _data(watched))
    assert elsewhere.err.splitlines()[-1].endswith("No such file or directory; make it, or name another")


def test_what_is_learned_as_json_is_the_same_intent(watched: Watched, tmp_path: Path) -> None:
    from pipeline.config import load

    for name, words in (("a.yaml", ()), ("b.json", ("--json",))):
        (tmp_path / name).write_text(catchment("learn", *words, "--data", _data(watched)).out)
    assert load(tmp_path / "a.yaml").intent == load(tmp_path / "b.json").intent
    json.loads((tmp_path / "b.json").read_text())


def test_check_has_lines_for_editors_json_for_programs_and_codes_for_scripts() -> None:
    folder = needs.ROOT / "tests" / "pipeline" / "config" / "mistakes"
    said = catchment("check", str(folder / "everything-at-once.yaml"))
    assert said.code == 1
    assert all(line.startswith(f"{folder}/everything-at-once.yaml:") for line in said.lines)
    shown = json.loads(catchment("check", "--json", str(folder / "everything-at-once.yaml")).out)
    assert len(shown) == len(said.lines) - 1
    lint = str(folder / "lint-no-services.yaml")
    assert [catchment("check", lint).code, catchment("check", "--strict", lint).code] == [0, 1]
    assert "cannot be read: No such file or directory" in catchment("check", "nowhere.yaml").out


def test_gobgp_is_configured_from_the_intent() -> None:
    contoso = str(needs.ROOT / "examples" / "contoso.yaml")
    made = tomllib.loads(catchment("gobgp", contoso).out)
    assert len(made["neighbors"]) == 10
    assert json.loads(catchment("gobgp", contoso, "--json").out) == made
    said = catchment("gobgp", contoso, "--exporter", "nobody")
    assert (said.code, said.out) == (1, "")
    assert "nobody is no collector" in said.err


# Running.


def test_run_refuses_a_file_with_mistakes_and_names_them_all(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("catchment: 1\nservices: {}\nregions: {}\nexporters: {}\nlimits: {nva: many}\ntimers: {hold: 1}\n")
    said = in_pipes("run", "-c", str(path))
    assert said.code == 1
    assert [line.split(":")[1] for line in said.err.splitlines() if ": error: " in line] == ["5", "6"]
    assert in_pipes("run", folder=tmp_path).err.startswith("catchment.yaml: error: cannot be read")


def test_run_says_which_port_is_taken_and_which_folder_it_cannot_have(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "mine.yaml"
        path.write_text(
            f'catchment: 1\nlisten: {{bmp: "127.0.0.1:0", http: "127.0.0.1:{port}"}}\n'
            "services: {}\nregions: {}\nexporters: {gobgp: {addresses: [127.0.0.1], collector: true}}\n"
        )
        said = in_pipes("run", "-c", str(path), "--json")
    assert said.code == 2
    assert said.err.splitlines()[-1] == (
        f"catchment run: cannot listen on 127.0.0.1:{port} for the page: Address already in use; another program "
        "listens there (`ss -ltnp` names it); stop it, or give another under listen: in the intent file"
    )
    (tmp_path / "file").write_text("")
    said = in_pipes("run", "-c", str(path), "--data", str(tmp_path / "file"))
    assert (said.code, said.err.splitlines()[-1]) == (
        2,
        f"catchment run: the data folder {tmp_path}/file cannot be made, for there is a file; "
        "name a folder with --data",
    )


def test_run_logs_json_lines_and_ends_cleanly_when_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        'catchment: 1\nlisten: {bmp: "127.0.0.1:0", http: "127.0.0.1:0"}\n'
        "services: {}\nregions: {}\nexporters: {gobgp: {addresses: [127.0.0.1], collector: true}}\n"
    )
    argv = [sys.executable, "-m", "pipeline", "run", "-c", str(path), "--json"]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env=environment()) as child:
        assert child.stderr is not None
        lines = []
        for line in child.stderr:
            if line.startswith("{"):
                lines.append(json.loads(line))
            if "the page is" in line:
                child.send_signal(signal.SIGINT)
        assert child.wait(20) == 0
    assert {"at", "level", "logger", "message"} <= set(lines[0])
    assert any("listening for BMP on 127.0.0.1" in line["message"] for line in lines)


# Files.


def test_decode_takes_files_standard_input_and_several_and_says_what_it_could_not() -> None:
    captures = needs.captures()
    rib, broken = captures / "mrt" / "quagga_rib.mrt", captures / "mrt" / "bird_bgp.mrt"
    whole = in_pipes("decode", str(rib))
    assert (whole.code, whole.err) == (0, "")
    assert all(json.loads(line)["type"] for line in whole.lines)
    assert (
        in_pipes("decode", stdin=rib.read_bytes()).out
        == in_pipes("decode", "-", stdin=rib.read_bytes()).out
        == whole.out
    )
    both = in_pipes("decode", str(broken), "/nowhere", str(rib))
    assert both.code == 1
    assert both.out.endswith(whole.out)
    malformed = sum(json.loads(line)["type"] == "M" for line in both.lines)
    assert malformed > 0
    assert both.err.splitlines() == [
        f"catchment decode: {broken}: {malformed} malformed messages; see lines of type M",
        "catchment decode: /nowhere: No such file or directory",
    ]


def test_decode_of_every_capture_is_json_lines_and_1_exactly_when_something_is_malformed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    captures = needs.captures()
    files = [*captures.glob("bmp/*.bmp.gz"), *captures.glob("mrt/*.mrt")]
    assert len(files) > 20
    for file in files:
        code = decode(Asked((file,)))
        types = {json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()}
        assert types, file
        assert code == int("M" in types), file


def test_decode_names_a_file_of_another_kind_and_waits_for_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("good morning")
    said = in_pipes("decode", str(tmp_path / "text"))
    assert (said.code, said.out) == (1, "")
    assert "neither a BMP stream nor an MRT file" in said.err
    assert "name a file, or send one in" in in_terminal("decode").out


def test_decode_ends_quietly_when_nobody_reads_on() -> None:
    file = needs.captures() / "mrt" / "rrc15.updates.20100227.1600.gz"
    command = f"{sys.executable} -m pipeline decode {file} | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, env=environment())
    assert (len(done.stdout.splitlines()), done.stderr) == (1, "")


# The lab's commands, where there is no lab.


def test_lab_commands_on_a_lab_that_is_not_there_are_sentences() -> None:
    assert catchment("lab", "status", "--name", "nolab").lines == [
        "lab 'nolab' is not up; catchment lab up --name nolab"
    ]
    assert json.loads(catchment("lab", "status", "--name", "nolab", "--json").out)["up"] is False
    said = catchment("lab", "watch", "--name", "nolab")
    assert (said.code, said.err) == (2, "lab 'nolab' is not up; catchment lab up --name nolab\n")
    said = catchment("lab", "up", "--name", "not/a/name")
    assert (said.code, said.out) == (1, "")
    assert "must be 1 to 12 letters and digits" in said.err
    assert "lab 'nolab' is not up: bring it up first" in catchment("lab", "fault", "withdraw", "--name", "nolab").err


def test_the_verbs_are_listed_for_people_and_for_programs() -> None:
    from lab.faults import VERBS

    assert [row["verb"] for row in json.loads(catchment("lab", "fault", "--json").out)] == list(VERBS)
    lines = in_terminal("lab", "fault").lines
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line and not line.startswith(" ")] == list(VERBS)


def test_a_lab_of_root_is_not_shown_as_down_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lab.topology import Lab

    monkeypatch.setattr(Lab, "folder", tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for words in (("status",), ("down",), ("fault", "withdraw"), ("heal",), ("watch",)):
        said = catchment("lab", *words, "--name", "nolab")
        sentence = "only root may look into the namespaces of lab 'nolab'; run this as root"
        assert (said.code, said.out, said.err) == (1, "", f"catchment lab {words[0]}: {sentence}\n")
