"""Archives: honest ones give their files, and each kind of attack is refused with the entry's name."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tarfile
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.adapters.bundles import archives
from tests.adapters.bundles.archives import ENTRY, header, opened, tar_gz, zipped
from wsmgr.adapters.bundles.unpacker import ArchiveUnpacker, unpack
from wsmgr.core.bundle import version_of_bundle
from wsmgr.core.errors import InvalidRequest, TooLarge
from wsmgr.core.plugin import Language
from wsmgr.ports.bundles import Format, Room, Wishes

FILES = {ENTRY: b"module.exports = 1", "lib/a.js": b"1", "node_modules/dep/index.js": b"2"}
FORMS = [(tar_gz, Format.TAR_GZ), (zipped, Format.ZIP)]


@pytest.mark.parametrize(("make", "form"), FORMS)
def test_files_come_out_as_they_went_in(make: object, form: Format) -> None:
    """In both formats, and the same version for both."""
    bundle = opened(make(FILES), form)  # type: ignore[operator]
    assert {file.path: file.data for file in bundle.files} == FILES
    assert bundle.entry == ENTRY
    assert bundle == opened(tar_gz(FILES))


def test_the_version_is_of_the_content_alone() -> None:
    """Order, times, owners, compression and format do not matter; a byte, a name and the entry do."""
    plain = version_of_bundle("javascript", opened(tar_gz(FILES)))
    backwards = tar_gz(FILES, order=lambda name: [-ord(sign) for sign in name])
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as made:
        for name, data in FILES.items():
            made.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data)
    assert plain == version_of_bundle("javascript", opened(backwards))
    assert plain == version_of_bundle("javascript", opened(stored.getvalue(), Format.ZIP))
    others = (
        opened(tar_gz({**FILES, "lib/a.js": b"2"})),
        opened(tar_gz({**FILES, "lib/b.js": b""})),
        opened(tar_gz(FILES), wishes=Wishes(entry="lib/a.js")),
    )
    assert plain not in {version_of_bundle("javascript", other) for other in others}
    assert plain != version_of_bundle("python", opened(tar_gz(FILES)))


def test_a_folder_around_everything_is_taken_off() -> None:
    """As npm, GitHub and most people pack."""
    wrapped = {f"package/{name}": data for name, data in FILES.items()}
    assert opened(tar_gz(wrapped, header("package", tarfile.DIRTYPE))) == opened(tar_gz(FILES))


@pytest.mark.parametrize(
    "name",
    [
        "../up.js",
        "a/../../up.js",
        "/etc/passwd",
        "//server/share",
        "a//b.js",
        "a/./b.js",
        "C:/windows.js",
        "a\\b.js",
        "..\\up.js",
        "a\nb.js",
        "a\x1bb.js",
        "a\u202eb.js",
        "e\u0301.js",
        "x" * 201,
        "/".join("d" * 40 for _ in range(14)),
        "/".join("d" for _ in range(40)),
    ],
)
@pytest.mark.parametrize(("make", "form"), FORMS)
def test_names_that_are_no_plain_paths_are_refused(make: object, form: Format, name: str) -> None:
    """Climbing, absolute, with drive letters, backslashes, control and format characters, not composed, too long, too
    deep; the refusal has the name."""
    with pytest.raises(InvalidRequest) as caught:
        opened(make({ENTRY: b"1", name: b"2"}), form)  # type: ignore[operator]
    assert caught.value.details["entry"] == ascii(name[:200])[1:-1]


def test_a_name_with_a_null_byte_is_refused() -> None:
    """Where zipfile shows what stands before it, and C programs open that."""
    archive = zipped({ENTRY: b"1", "a.js_b": b"2"}).replace(b"a.js_b", b"a.js\0b")
    with pytest.raises(InvalidRequest, match=r"a\.js"):
        opened(archive, Format.ZIP)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.FIFOTYPE, "pipe"),
        (tarfile.CONTTYPE, "contiguous"),
        (b"V", "unknown"),
        (b"M", "unknown"),
    ],
)
def test_what_is_no_file_in_a_tar_is_refused(kind: bytes, what: str) -> None:
    """Wherever it points; the refusal names the entry."""
    with pytest.raises(InvalidRequest, match=f"'odd' is refused.*{what}"):
        opened(tar_gz({ENTRY: b"1"}, header("odd", kind, "../../etc/passwd")))


def test_sparse_files_are_refused() -> None:
    """By their old type, and by what pax headers say of them."""
    with pytest.raises(InvalidRequest, match="sparse"):
        opened(tar_gz({ENTRY: b"1"}, header("odd", tarfile.GNUTYPE_SPARSE)))
    info = tarfile.TarInfo("odd")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1,9000000000,1"}
    with pytest.raises(InvalidRequest, match="sparse"):
        opened(tar_gz({ENTRY: b"1"}, info))


KINDS = [
    tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.XHDTYPE, tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.GNUTYPE_SPARSE, b"V",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [-1, -512, -1024, -(2**40)])
def test_sizes_below_zero_are_refused(kind: bytes, size: int) -> None:
    """By them a reader goes back to what it has read, without end."""
    plain = gzip.decompress(tar_gz({ENTRY: b"1"}))[:1024]
    with pytest.raises(InvalidRequest, match="below zero"):
        opened(gzip.compress(plain + archives.raw_header(kind, size) + bytes(1024)))
    info = tarfile.TarInfo("odd")
    info.pax_headers = {"size": str(size)}
    with pytest.raises((InvalidRequest, TooLarge)):
        opened(tar_gz({ENTRY: b"1"}, info))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
def test_huge_extended_headers_are_refused(kind: bytes) -> None:
    """tarfile searches them for numbers, which takes it the square of their length; a long name, the control, is
    none of them."""
    digits = b"".join(b"%d" % (number % 10) for number in range(100_000))
    with pytest.raises(InvalidRequest, match="extended header of more than"):
        opened(gzip.compress(archives.raw_header(kind, len(digits), digits) + bytes(1024)))
    name = "/".join(["long" * 10] * 5) + ".js"
    assert {file.path for file in opened(tar_gz({ENTRY: b"1", name: b"2"})).files} == {ENTRY, name}


def test_a_gzip_of_countless_parts_is_refused() -> None:
    """Each of them costs, also when it is empty; a few, the control, are one file."""
    archive = tar_gz({ENTRY: b"1"})
    with pytest.raises(InvalidRequest, match="parts"):
        opened(gzip.compress(b"", mtime=0) * 100_000 + archive)
    plain = gzip.decompress(archive)
    parts = [plain[at : at + 3000] for at in range(0, len(plain), 3000)]
    assert len(parts) > 2
    assert opened(b"\0\0".join(map(gzip.compress, parts)) + b"\0" * 100).size == len(ENTRY) + 1


def test_a_pax_header_cannot_smuggle_a_name() -> None:
    """What the extended header says is what is checked."""
    info = tarfile.TarInfo("innocent.js")
    info.pax_headers = {"path": "../../evil.js"}
    with pytest.raises(InvalidRequest, match=r"evil\.js"):
        opened(tar_gz({ENTRY: b"1"}, info))


@pytest.mark.parametrize(
    ("archive", "why"),
    [
        (archives.symlink_zip(), "'link' is refused.*link"),
        (archives.overlapping_zip(), "shares bytes"),
        (archives.lying_zip(10), "index.js.*not as long|CRC"),
        (archives.lying_zip(2000), "index.js.*not as long|read"),
        (archives.many_disks_zip(), "several disks"),
        (archives.encrypted_zip(), "'index.js' is refused: it is encrypted"),
        (archives.two_names_zip(), "name in directory|differ"),
        (archives.zip64_that_lies(), "not a zip archive"),
        (zipped({ENTRY: b"1"}) + b"more", "behind the end"),
        (zipped({ENTRY: b"1"})[:-30], "no end record"),
        (zipped({ENTRY: b"1"}, (zipfile.ZipInfo("folder/"), b"content")), "folder with a content"),
    ],
    ids=[
        "symlink",
        "overlap",
        "lies-low",
        "lies-high",
        "disks",
        "encrypted",
        "names",
        "zip64",
        "tail",
        "cut",
        "folder",
    ],
)
def test_what_is_odd_in_a_zip_is_refused(archive: bytes, why: str) -> None:
    """Links, entries that share bytes, sizes that lie, other disks, encryption, and what does not end where it says."""
    with pytest.raises(InvalidRequest, match=why):
        opened(archive, Format.ZIP)


def test_other_methods_of_packing_are_refused() -> None:
    """Only what zlib bounds is unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as made:
        made.writestr(ENTRY, "1")
    with pytest.raises(InvalidRequest, match="another method"):
        opened(buffer.getvalue(), Format.ZIP)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"A.js": b"1", "a.js": b"2"}, "case alone"),
        ({"Lib/x.js": b"1", "lib/y.js": b"2"}, "case alone"),
        ({"lib": b"1", "lib/y.js": b"2"}, "a folder to others"),
        ({"LIB": b"1", "lib/y.js": b"2"}, "a folder to others"),
        ({"straße.js": b"1", "strasse.js": b"2"}, "case alone"),
    ],
)
@pytest.mark.parametrize(("make", "form"), FORMS)
def test_names_that_collide_are_refused(make: object, form: Format, files: dict[str, bytes], what: str) -> None:
    """Twice the same on some file systems, or a file and a folder at once."""
    with pytest.raises(InvalidRequest, match=what):
        opened(make({ENTRY: b"0", **files}), form)  # type: ignore[operator]


def test_a_name_twice_is_refused() -> None:
    """Programs disagree on which of the two counts."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo(ENTRY))
    with pytest.raises(InvalidRequest, match="twice"):
        opened(gzip.compress(plain.getvalue()))
    with pytest.warns(UserWarning, match="Duplicate"):
        archive = zipped({ENTRY: b"1"}, (zipfile.ZipInfo(ENTRY), b"2"))
    with pytest.raises(InvalidRequest, match="twice"):
        opened(archive, Format.ZIP)


@pytest.mark.parametrize(("make", "form"), FORMS)
def test_there_is_room_for_so_much(make: object, form: Format) -> None:
    """Bytes and files are counted, names too; exactly as many as there is room for are taken."""
    files = {ENTRY: os.urandom(1000), "b.js": os.urandom(1000)}
    exact = 2000 + len(ENTRY) + len("b.js")
    assert opened(make(files), form, Room(exact, 2)).size == exact  # type: ignore[operator]
    for room, limit in ((Room(exact - 1, 2), "pluginBytes"), (Room(exact, 1), "pluginFiles")):
        with pytest.raises(TooLarge) as caught:
            opened(make(files), form, room)  # type: ignore[operator]
        assert caught.value.details["limit"] == limit


@pytest.mark.parametrize(("make", "form"), FORMS)
def test_a_bomb_does_not_go_off(make: object, form: Format) -> None:
    """A hundred megabytes of zeros in a hundred kilobytes: refused by its ratio before it is held."""
    archive = make({ENTRY: b"1", "zeros.bin": bytes(100_000_000)})  # type: ignore[operator]
    assert len(archive) < 200_000
    with pytest.raises((InvalidRequest, TooLarge), match=r"own size|allows"):
        opened(archive, form, Room(10**9, 50))


def test_endless_folders_and_headers_are_bounded() -> None:
    """Empty folders count, and long names in headers of their own do not nest without end."""
    with pytest.raises(TooLarge):
        opened(tar_gz({ENTRY: b"1"}, *(header(f"d{number}", tarfile.DIRTYPE) for number in range(1000))))
    nested = tarfile.TarInfo("././@LongLink")
    nested.type = tarfile.GNUTYPE_LONGNAME
    plain = nested.tobuf() * 3000
    with pytest.raises(InvalidRequest):
        opened(gzip.compress(plain, 0))


@pytest.mark.parametrize("form", list(Format))
@pytest.mark.parametrize(
    "junk", [b"", b"junk", b"\x1f\x8b", b"PK\x05\x06", gzip.compress(b"junk", mtime=0), gzip.compress(b"", mtime=0)]
)
def test_what_is_no_archive_is_refused(form: Format, junk: bytes) -> None:
    """With a sentence, whatever it is."""
    with pytest.raises(InvalidRequest):
        opened(junk, form)


@given(st.binary(max_size=400), st.integers(0, 2000), st.sampled_from(list(Format)))
def test_damage_is_refused_or_harmless(noise: bytes, at: int, form: Format) -> None:
    """Bytes written over anywhere give a bundle or a refusal, and nothing else."""
    archive = tar_gz(FILES) if form is Format.TAR_GZ else zipped(FILES)
    at %= len(archive)
    with contextlib.suppress(InvalidRequest, TooLarge):
        opened(archive[:at] + noise + archive[at + len(noise) :], form)


@pytest.mark.parametrize(
    ("files", "entry", "language"),
    [
        ({"index.js": b""}, "index.js", Language.JAVASCRIPT),
        ({"main.py": b""}, "main.py", Language.PYTHON),
        ({"wsmgr.yaml": b"entry: src/x.mjs", "src/x.mjs": b""}, "src/x.mjs", Language.JAVASCRIPT),
        ({"wsmgr.yaml": b"entry: run\nlanguage: python", "run": b""}, "run", Language.PYTHON),
        ({"package.json": b'{"main": "./lib"}', "lib/index.js": b""}, "lib/index.js", Language.JAVASCRIPT),
        ({"package.json": b'{"main": "dist/a"}', "dist/a.js": b""}, "dist/a.js", Language.JAVASCRIPT),
        ({"package.json": b"{}", "index.js": b""}, "index.js", Language.JAVASCRIPT),
    ],
)
def test_the_entry_point_is_found(files: dict[str, bytes], entry: str, language: Language) -> None:
    """By the manifest, by package.json, or by its usual name."""
    found, bundle = unpack(tar_gz({**files, "other.txt": b""}), Format.TAR_GZ, archives.ROOM, Wishes())
    assert (bundle.entry, found) == (entry, language)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"readme.txt": b""}, "Nothing says"),
        ({"wsmgr.yaml": b"entry: gone.js"}, "not among"),
        ({"wsmgr.yaml": b"entry: ../x.js"}, "climbs"),
        ({"wsmgr.yaml": b"entry: [a, b]"}, "wsmgr.yaml:1: entry must be one text"),
        ({"wsmgr.yaml": b"entry: a.js\nentri: b.js"}, "wsmgr.yaml:2: only entry"),
        ({"wsmgr.yaml": b"a: &a [*a]"}, "wsmgr.yaml"),
        ({"wsmgr.yaml": b"\xff"}, "not YAML"),
        ({"wsmgr.yaml": b"entry: index.js\nlanguage: cobol", "index.js": b""}, "cobol"),
        ({"wsmgr.yaml": b"entry: readme.txt", "readme.txt": b""}, "language of readme.txt"),
        ({"package.json": b"{"}, "package.json is not JSON"),
        ({"wsmgr.yaml": b"[" * 20_000}, "16384"),
        ({"wsmgr.yaml": b"[" * 10_000}, "not YAML"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_where(files: dict[str, bytes], why: str) -> None:
    """Unknown members, other types, files that are not there."""
    with pytest.raises(InvalidRequest, match=why):
        opened(tar_gz({**files, "other.txt": b""}))


async def test_the_loop_is_not_held_up() -> None:
    """The unpacker works in a thread."""
    language, bundle = await ArchiveUnpacker().unpack(tar_gz(FILES), Format.TAR_GZ, archives.ROOM, Wishes())
    assert (language, len(bundle.files)) == (Language.JAVASCRIPT, 3)
