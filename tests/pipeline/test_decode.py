"""`catchment decode` as people use it: formats, filters, output files, pipes, and how it leaves."""

import gzip
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.stream.text import line
from collector.wire.elements import elements
from tests import needs
from tests.collector.bmp.streams import announce, initiation, peer_up
from tests.collector.stream.samples import documented, opened, stream
from tests.pipeline.terminal import COLOUR, catchment, environment, in_pipes, in_terminal


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small file, a large one, a compressed one and one with a torn end."""
    made = tmp_path_factory.mktemp("decode")
    large = stream(800)
    (made / "weu.bmp").write_bytes(documented())
    (made / "large.bmp").write_bytes(large)
    (made / "large.bmp.gz").write_bytes(gzip.compress(large))
    (made / "torn.bmp").write_bytes(documented()[:-5])
    return made


def jsonl(data: bytes) -> str:
    return "".join(map(line, elements(opened(data))))


# Formats.


def test_small_and_large_files_compressed_ones_and_pipes_give_the_same_lines(folder: Path) -> None:
    large = (folder / "large.bmp").read_bytes()
    assert len(large) > 1 << 16, "else the plain decoder reads it"
    right = jsonl(large)
    for words, stdin in ((("large.bmp",), b""), (("large.bmp.gz",), b""), ((), large), (("-",), large)):
        said = in_pipes("decode", *words, folder=folder, stdin=stdin)
        assert (said.code, said.err) == (0, "")
        assert said.out == right, words
    assert in_pipes("decode", "weu.bmp", folder=folder).out == jsonl(documented())


def test_a_table_fits_a_terminal_and_a_wide_one_shows_more(folder: Path) -> None:
    narrow, wide = (
        in_terminal("decode", str(folder / "large.bmp"), "--format", "table"),
        in_terminal("decode", str(folder / "large.bmp"), "--format", "table", columns=200),
    )
    for said, columns in ((narrow, 80), (wide, 200)):
        lines = COLOUR.sub("", said.out).splitlines()
        assert len(lines) == len(jsonl((folder / "large.bmp").read_bytes()).splitlines()) + 1
        assert max(map(len, lines)) <= columns
        assert "AS PATH" in lines[0]
        assert "PREFIX" in lines[0]
    assert "COMMUNITIES" in wide.lines[0]
    assert "COMMUNITIES" not in narrow.lines[0]
    assert any("64500 64500 65010" in text for text in narrow.lines)


def test_a_table_in_a_pipe_has_no_colours_and_cuts_nothing(folder: Path) -> None:
    said = in_pipes("decode", "large.bmp", "--format", "table", folder=folder)
    assert "\x1b" not in said.out
    assert "…" not in said.out
    assert "\x1b[32mA" in in_terminal("decode", str(folder / "weu.bmp"), "--format", "table").out


def test_bgpdump_lines_are_those_of_the_elements_that_pass(folder: Path) -> None:
    every = in_pipes("decode", "large.bmp", "--format", "bgpdump", folder=folder).lines
    some = in_pipes("decode", "large.bmp", "--format", "bgpdump", "--type", "W", folder=folder).lines
    assert len(every) > len(some) > 10
    assert some == [text for text in every if text.split("|")[2] == "W"]


# Counts.


def test_counts_are_those_of_the_elements(folder: Path) -> None:
    told = json.loads(in_pipes("decode", "large.bmp", "--stats", "--json", folder=folder).out)
    every = [json.loads(text) for text in jsonl((folder / "large.bmp").read_bytes()).splitlines()]
    routes = [each for each in every if each["type"] in "AWR"]
    assert told["elements"] == len(every)
    assert told["routes"] == len(routes) == sum(each["routes"] for each in told["peers"])
    for kind, count in told["types"].items():
        assert count == sum(each["type"] == kind for each in every)
    for family, count in told["families"].items():
        assert count == sum(each.get("family") == family for each in every)
    for origin in told["origins"]:
        assert origin["routes"] == sum(each.get("origin_asn") == origin["asn"] for each in every)
    times = [each["time"] for each in every if "time" in each]
    assert (told["first"], told["last"]) == (min(times), max(times))
    assert told["octets"] == (folder / "large.bmp").stat().st_size
    assert told["messages"] == 800 + 4 + 2
    assert (told["files"], told["malformed"]) == (1, {})
    assert told["routes_per_second"] > 0


def test_counts_are_of_what_a_filter_lets_through_of_several_files_and_of_what_was_malformed(folder: Path) -> None:
    words = ("weu.bmp", "torn.bmp", "weu.bmp", "--stats", "--json", "--peer", "10.10.1.4")
    said = in_pipes("decode", *words, folder=folder)
    told = json.loads(said.out)
    assert said.code == 1
    assert told["files"] == 3
    assert told["types"] == {"A": 9, "S": 3, "W": 2}
    assert told["malformed"] == {}, "the torn end is of no peer"
    whole = json.loads(in_pipes("decode", "torn.bmp", "--stats", "--json", folder=folder).out)
    assert whole["malformed"] == {"message-skipped": 1}


def test_counts_for_people_fit_a_terminal(folder: Path) -> None:
    said = in_terminal("decode", str(folder / "large.bmp"), "--stats", "--quiet")
    assert max(map(len, said.lines)) <= 80
    for head in ("BY TYPE", "BY FAMILY", "BY PEER (routes)", "BY ORIGIN (routes)"):
        assert head in said.lines
    assert "MALFORMED" not in said.out


# Filters.


def prefixes(folder: Path, *words: str) -> list[tuple[str, str]]:
    said = catchment("decode", str(folder / "weu.bmp"), *words)
    assert said.code == 0, said.err
    return [(each["type"], each.get("prefix", "")) for each in map(json.loads, said.lines)]


WEB, VDI, ALL = "10.250.0.10/32", "10.250.8.0/24", "10.250.0.0/16"


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (("--prefix", WEB), [("A", WEB), ("A", WEB), ("W", WEB)]),
        (("--prefix", WEB, "--prefix", VDI, "--type", "A"), [("A", WEB), ("A", VDI), ("A", WEB)]),
        (("--prefix-more", VDI), [("A", VDI)]),
        (("--prefix-less", VDI), [("A", VDI), ("A", ALL)]),
        (("--prefix-less", VDI, "--prefix", WEB, "--type", "W"), [("W", WEB)]),
        (("--peer", "10.10.1.5", "--type", "announcements"), [("A", WEB)]),
        (("--peer", "65010", "--origin", "65020"), [("A", WEB)]),
        (("--peer", "65011"), []),
        (("--origin", "65020", "--origin", "65030"), [("A", WEB), ("A", ALL)]),
        (("--as-path", "^65010_65020$"), [("A", WEB)]),
        (("--as-path", "!65010"), [("A", ALL)]),
        (("--community", "65020:*"), [("A", WEB)]),
        (("--community", "*:100", "--prefix", VDI), [("A", VDI)]),
        (("--type", "S"), [("S", ""), ("S", "")]),
        (("--family", "6"), []),
        (("--rib", "adj-in-pre", "--prefix", ALL), [("A", ALL)]),
        (("--rib", "loc"), []),
        (("--router", "weu-rs0", "--type", "W"), [("W", WEB)]),
        (("--router", "eus-rs0"), []),
        (("--from", "2023-11-14T22:13:40Z"), [("W", WEB)]),
        (("--until", "1700000019", "--prefix", WEB), [("A", WEB), ("A", WEB)]),
        (("--filter", "prefix less 10.250.8.1 and not prefix exact 10.250.0.0/16"), [("A", VDI)]),
        (("--filter", "elemtype W", "--filter", "peer 10.10.1.5"), []),
    ],
)
def test_options_filter(folder: Path, words: tuple[str, ...], right: list[tuple[str, str]]) -> None:
    assert prefixes(folder, *words) == right


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (("--prefix", "10.250.0.10/24"), "the network is 10.250.0.0/24"),
        (("--peer", "weu"), "neither an AS number such as 65010 nor an address"),
        (("--origin", "4294967296"), "not an AS number such as 65010"),
        (("--as-path", "(65010"), "'(' is never closed"),
        (("--community", "65010"), "right are 65010:100"),
        (("--type", "X"), "none of announcements"),
        (("--family", "5"), "neither 4 nor 6"),
        (("--rib", "in"), "none of adj-in-pre"),
        (("--from", "yesterday"), "not a time such as"),
        (("--from", "2026-01-02", "--until", "2026-01-01"), "is after until"),
        (("--filter", "prefx 10.0.0.0/8"), "terms are prefix, peer"),
    ],
)
def test_a_wrong_filter_is_a_sentence_and_2(folder: Path, words: tuple[str, ...], right: str) -> None:
    said = catchment("decode", str(folder / "weu.bmp"), *words)
    assert (said.code, said.out) == (2, "")
    assert right in " ".join(said.err.split())
    assert "Traceback" not in said.err


# Output.


def test_an_output_file_is_whole_and_never_overwritten_without_force(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert in_pipes("decode", "large.bmp", "-o", str(out), folder=folder).code == 0
    right = jsonl((folder / "large.bmp").read_bytes())
    assert out.read_text() == right
    said = in_pipes("decode", "weu.bmp", "-o", str(out), folder=folder)
    assert (said.code, said.out) == (2, "")
    assert f"{out}: there is such a file; --force overwrites it" in said.err
    assert out.read_text() == right
    assert in_pipes("decode", "weu.bmp", "-o", str(out), "--force", folder=folder).code == 0
    assert out.read_text() == jsonl(documented())
    assert list(tmp_path.iterdir()) == [out]
    assert out.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_what_cannot_be_written_is_a_sentence_and_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    said = in_pipes("decode", "weu.bmp", "-o", str(tmp_path / "no" / "out"), folder=folder)
    assert said.code == 2
    assert said.err == f"catchment decode: {tmp_path / 'no'}: No such file or directory; make it, or name another\n"
    if Path("/dev/full").exists():
        said = in_pipes("decode", "large.bmp", "-o", "/dev/full", folder=folder)
        assert (said.code, said.err) == (2, "catchment decode: /dev/full: No space left on device\n")
        assert Path("/dev/full").is_char_device()


def test_standard_output_may_be_named_as_a_file(folder: Path) -> None:
    said = in_pipes("decode", "weu.bmp", "-o", "/dev/stdout", folder=folder)
    assert (said.code, said.out, said.err) == (0, jsonl(documented()), "")


def test_a_file_that_fails_does_not_keep_the_others(folder: Path) -> None:
    said = in_pipes("decode", "nowhere", ".", "torn.bmp", "weu.bmp", folder=folder)
    assert said.code == 1
    assert said.out.endswith(jsonl(documented()))
    assert said.err.splitlines() == [
        "catchment decode: nowhere: No such file or directory",
        "catchment decode: .: Is a directory",
        "catchment decode: torn.bmp: 1 malformed message; see lines of type M",
    ]


# Ends.


def test_a_closed_pipe_ends_it_quietly_with_the_usual_status(folder: Path) -> None:
    argv = [sys.executable, "-m", "pipeline", "decode", *["large.bmp"] * 20]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder, env=environment()) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline().startswith(b'{"type":"F"')
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait(30) == 141


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_descriptor_that_is_closed_is_nowhere(folder: Path, closed: str) -> None:
    argv = ["sh", "-c", f"{sys.executable} -m pipeline decode weu.bmp {closed}"]
    done = subprocess.run(argv, capture_output=True, timeout=60, cwd=folder, env=environment(), check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == ("" if ">&-" in closed.split() else jsonl(documented()))


def test_an_interruption_ends_it_quietly_and_leaves_no_half_file(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pipeline", "decode", "-", "-o", "out.jsonl"]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment()
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(documented())
        child.stdin.flush()
        limit = time.monotonic() + 20
        while not list(tmp_path.iterdir()) and time.monotonic() < limit:
            time.sleep(0.02)
        assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
        child.send_signal(signal.SIGINT)
        assert child.wait(20) == 130
        assert child.stderr.read() == b""
    assert list(tmp_path.iterdir()) == []


# Progress.


def _on_a_terminal(folder: Path, *words: str) -> str:
    """What goes to standard error when it is a terminal and standard output is not."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "pipeline", "decode", *words]
    child = subprocess.Popen(
        argv, stdout=subprocess.DEVNULL, stderr=theirs, cwd=folder, env=environment(TERM="xterm", COLUMNS="100")
    )
    os.close(theirs)
    told = b""
    try:
        while chunk := os.read(ours, 1 << 16):
            told += chunk
    except OSError:  # the other side is closed: the end, on Linux
        pass
    os.close(ours)
    assert child.wait(30) == 0
    return told.decode()


def test_progress_is_shown_on_a_terminal_and_only_there(folder: Path) -> None:
    shown = _on_a_terminal(folder, "large.bmp")
    assert "large.bmp" in shown
    assert "elements" in shown
    assert _on_a_terminal(folder, "large.bmp", "--quiet") == ""
    assert "elements" not in in_terminal("decode", str(folder / "weu.bmp")).out, "lines are printed there"
    assert in_pipes("decode", "large.bmp", folder=folder).err == ""


# Real routers.


def test_real_captures_are_counted_and_filtered() -> None:
    file = needs.captures() / "bmp" / "junos-mx204.bmp.gz"
    told = json.loads(in_pipes("decode", str(file), "--stats", "--json").out)
    every = in_pipes("decode", str(file)).lines
    assert told["elements"] == len(every)
    some = in_pipes("decode", str(file), "--rib", "loc", "--prefix-more", "192.0.2.0/24").lines
    assert 0 < len(some) < len(every)
    assert all('"rib":"loc"' in text for text in some)


@pytest.mark.parametrize("form", ["jsonl", "bgpdump", "table"])
def test_what_a_pipe_has_is_written_before_more_is_waited_for(form: str) -> None:
    argv = [sys.executable, "-m", "pipeline", "decode", "--format", form]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"".join((initiation(), peer_up(), *(announce("10.250.0.10/32") for _ in range(200)))))
        child.stdin.flush()
        seen = b""
        while b"10.250.0.10/32" not in seen:
            seen += os.read(child.stdout.fileno(), 1 << 16)
        assert child.poll() is None
        child.stdin.write(announce("10.250.8.0/24"))
        child.stdin.flush()
        while b"10.250.8.0/24" not in seen:
            seen += os.read(child.stdout.fileno(), 1 << 16)
        assert child.poll() is None
        child.stdin.close()
        assert child.wait(30) == 0
