"""A responder's file: the example loads, and every mistake is told with its place and what would be right."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.probe.identity.keyfile import KeyFileError, make_key, read_key
from collector.probe.responder.settings import KeyFile
from collector.probe.responder.written import keys_of, load
from collector.written.problem import ConfigError

EXAMPLE = Path(__file__).parents[4] / "examples" / "responder.yaml"
MINIMAL = """\
responder: 1
region: weu
services: [dns]
listen: {udp: ["127.0.0.1:31122"]}
keys: {7: {file: ./k, site: ams}}
allow: [127.0.0.0/8]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("k", "ams-1.key", "ams-2.key", "lon-1.key"):
        make_key(tmp_path / name)
    return tmp_path


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "responder.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path)
    return [str(problem).removeprefix(f"{path}:") for problem in error.value.problems]


def test_the_example_loads(folder: Path) -> None:
    shutil.copy(EXAMPLE, folder)
    settings = load(folder / EXAMPLE.name)
    who = settings.identity
    assert (who.region, who.nva, who.instance) == ("weu", "weu-nva1", "weu-nva1-responder")
    assert len(who.generation) == 12
    assert settings.services == {"dns", "web"}
    assert str(settings.udp[0]) == "10.250.0.10:31122"
    assert settings.keys[0] == KeyFile(1, "ams", folder / "ams-1.key")
    assert len(keys_of(settings.keys)) == 3
    assert (settings.rate.source, settings.rate.total, settings.user) == (2000, 20_000, "nobody")


def test_the_least_that_is_needed_loads(folder: Path) -> None:
    (folder / "responder.yaml").write_text(MINIMAL)
    settings = load(folder / "responder.yaml")
    assert (settings.http, settings.echo, settings.user) == ((), (), None)


def test_the_generation_is_what_is_written_or_a_hash_that_changes_with_the_files(folder: Path) -> None:
    def generation(text: str) -> str:
        (folder / "responder.yaml").write_text(text)
        return load(folder / "responder.yaml").identity.generation

    assert generation(MINIMAL + "generation: g41\n") == "g41"
    assert generation(MINIMAL) != generation(MINIMAL + "# changed\n")
    (folder / "frr.conf").write_text("a")
    hashed = generation(MINIMAL + "generation_of: [frr.conf]\n")
    assert hashed == generation(MINIMAL + "generation_of: [frr.conf] # changed\n")
    (folder / "frr.conf").write_text("b")
    assert hashed != generation(MINIMAL + "generation_of: [frr.conf]\n")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: "", "1:1: error: is empty; a responder's file begins with `responder: 1`"),
        (lambda t: "- a", "1:1: error: is no mapping"),
        (lambda t: t.replace("responder: 1", "responder: 2"), "1:12: error: responder: 2 is not right here; write 1"),
        (lambda t: t.replace("region: weu\n", ""), "1:1: error: needs `region`; write the region's name"),
        (lambda t: t.replace("region", "regoin"), "2:1: error: regoin: is no key that is known here; did you mean"),
        (lambda t: t + "speed: 3\n", "7:1: error: speed: is no key that is known here"),
        (lambda t: t.replace("[dns]", "[]"), "3:11: error: services: [] is not right here; write a list"),
        (lambda t: t.replace("[dns]", "[dns, dns]"), "3:11: error: services: 'dns' stands in the list twice"),
        (lambda t: t.replace("31122", "0"), "4:15: error: listen.udp: '127.0.0.1:0' is no address and port such as"),
        (lambda t: t.replace("31122", "70000"), "is no address and port"),
        (lambda t: t.replace("127.0.0.1:", "example.com:"), "is no address and port"),
        (lambda t: t.replace("127.0.0.1:", "fd00::1:"), "is no address and port"),
        (lambda t: t.replace('{udp: ["127.0.0.1:31122"]}', "{}"), "4:1: error: listen: names nowhere; write udp, http"),
        (
            lambda t: t.replace("{udp", '{http: ["127.0.0.1:5"], echo: ["127.0.0.1:5"], udp'),
            "error: listen.echo[0]: 127.0.0.1:5 is that of http already; give another port",
        ),
        (lambda t: t.replace("{7:", "{x:"), "5:8: error: keys.x: 'x' is no key id; a key id is a whole number from 1"),
        (lambda t: t.replace("{7:", "{70000:"), "is no key id"),
        (lambda t: t.replace("{7: {file: ./k, site: ams}}", "{}"), "5:1: error: keys: holds 0 keys"),
        (lambda t: t.replace(", site: ams", ""), "needs `site`; write the site whose agent has this key"),
        (lambda t: t.replace("./k", "./none"), "none cannot be read: No such file or directory; `catchment responder"),
        (
            lambda t: t.replace(
                "site: ams}", "site: ams}, 8: {file: ./ams-1.key, site: ams}, 9: {file: ./ams-2.key, site: ams}"
            ),
            "keys.9: is the third key of ams; two are valid while keys rotate",
        ),
        (lambda t: t.replace("127.0.0.0/8", "127.0.0.1/8"), "6:8: error: allow: '127.0.0.1/8' is no prefix such as"),
        (lambda t: t.replace("127.0.0.0/8", "7"), "allow: 7 is no prefix"),
        (lambda t: t + "rate: {total: 90000}", "7:15: error: rate.total: 90000 is not right here; write a number from"),
        (lambda t: t + "rate: {source: 10, total: 5}", "7:1: error: rate: one source may ask 10 times a second, all"),
        (lambda t: t + "generation: a\ngeneration_of: [k]\n", "generation_of: is there beside `generation`"),
        (lambda t: t + "generation_of: [none]\n", "generation_of[0]: cannot be read: No such file"),
        (
            lambda t: t.replace("weu", "r" * 63).replace("dns", "s" * 63) + f"nva: {'n' * 63}\n",
            "and requests have 256; give shorter names",
        ),
        (lambda t: t.replace("[dns]", "[dns"), "error:"),
        (lambda t: t + "region: weu\n", "error: region:"),
    ],
)
def test_each_mistake_is_told_where_it_is(folder: Path, change: Callable[[str], str], said: str) -> None:
    found = mistakes(folder, change(MINIMAL))
    assert any(said in line for line in found), found


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    text = MINIMAL.replace("weu", "'-'").replace("127.0.0.1:", "x:").replace("./k", "./none")
    assert len(mistakes(folder, text)) == 3


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory; name a responder's file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o620, 0o602, 0o660, 0o610])
def test_a_key_that_others_can_read_or_write_is_refused(folder: Path, mode: int) -> None:
    (folder / "k").chmod(mode)
    [line] = mistakes(folder, MINIMAL)
    assert f"keys.7.file: {folder}/k is open to others (mode {mode:04o}); `chmod 600 {folder}/k`" in line


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    secret = read_key(path)
    assert len(secret) == 32
    with pytest.raises(KeyFileError, match="is there already, and a key is never written over"):
        make_key(path)
    assert read_key(path) == secret
    with pytest.raises(KeyFileError, match="cannot be made: No such file"):
        make_key(tmp_path / "none" / "a.key")


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "xyz\n", "ab" * 15, "ab" * 65, "ab" * 32 + "\n" + "ab" * 32]
)
def test_a_file_without_one_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="does not hold one line of 32 to 128 hexadecimal digits") as error:
        read_key(path)
    assert not text or text.strip() not in str(error.value)


def test_comments_may_stand_beside_a_key_and_a_folder_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_text("# of ams, since March\n" + "0f" * 32 + "\n")
    path.chmod(0o600)
    assert read_key(path) == bytes([15]) * 32
    with pytest.raises(KeyFileError):
        read_key(tmp_path)
    with pytest.raises(KeyFileError, match="is no file"):
        read_key(Path("/dev/null"))
