"""Other programs' own code, each at one version, in a folder that only child processes of tests see.

    python -m tests.exchange.programs.install          # exit code 8 and one line per set that cannot be installed

Their demands (older NumPy, OpenCV, Pillow) would change this project's environment, so they are fetched without what they depend on,
but for what the code under test needs; the rest is the environment's own. Kept in ``$EDGE_PROGRAMS_CACHE``, else
``~/.cache/edge-microscopy/programs``; 25 s of processor time.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

SETS: Final = {
    "base": (
        *("label-studio-sdk==2.1.2", "ijson==3.6.0", "ujson==6.1.0", "nltk==3.10.4", "regex==2026.11.19"),
        *("joblib==1.6.0", "appdirs==1.4.4", "pyjwt==2.13.0", "pyyaml==6.0.4", "requests==2.34.2", "idna==3.20"),
        *("charset-normalizer==3.5.3", "certifi==2026.10.19.post1", "urllib3==2.8.0", "httpx==0.28.1"),
        *("httpcore==1.0.9", "anyio==4.16.0", "sniffio==1.3.1", "h11==0.16.0", "click==8.5.1", "xmljson==0.2.1"),
        *("jsonschema==4.26.0", "jsonschema-specifications==2025.9.1", "referencing==0.37.0", "rpds-py==2026.9.1"),
        *(
            "attrs==26.1.0",
            "defusedxml==0.7.1",
            "requests-mock==1.12.1",
            "lxml==6.1.3",
            "pandas==3.1.1",
            "pytz==2026.6",
        ),
        *("ome-types==0.7.0", "xsdata==26.10", "pydantic-extra-types==2.11.1", "pyecotaxa==0.0.5"),
        *("qubalab==0.2.1", "geojson==3.3.0", "shapely==2.2.0", "rasterio==1.4.4", "affine==3.0.1"),
    ),
    "datumaro": (
        *("datumaro==1.13.12", "orjson==3.13.0", "imagesize==2.0.1", "json-stream==2.5.1"),
        "json-stream-rs-tokenizer==0.5.4",
    ),
    "tables": (
        *("polars==2.1.0", "polars-runtime-32==2.1.0", "duckdb==2.0.1", "pandas==3.1.1"),
        *("python-dateutil==2.9.0.post0", "six==1.17.0"),
    ),
    "storage": (
        *("s3fs==2026.9.0", "fsspec==2026.9.0", "aiobotocore==3.10.0", "aioitertools==0.13.0", "wrapt==2.5.2"),
        *("botocore==1.43.117", "boto3==1.43.117", "s3transfer==0.19.3", "jmespath==1.1.0"),
        *("python-dateutil==2.9.0.post0", "six==1.17.0", "urllib3==2.8.0", "idna==3.20", "aiohttp==3.14.5"),
        *("aiohappyeyeballs==2.7.1", "aiosignal==1.4.0", "attrs==26.1.0", "frozenlist==1.8.0", "multidict==7.2.1"),
        *("propcache==0.5.4", "yarl==1.25.1", "typing-extensions==4.16.0", "paramiko==5.1.0", "bcrypt==5.0.0"),
        *("cryptography==50.0.2", "pynacl==1.6.2", "invoke==3.0.3", "cffi==2.1.1", "pycparser==3.12"),
        *("asyncssh==2.24.1", "moto==5.2.5", "flask==3.1.3", "flask-cors==6.0.5", "werkzeug==3.1.9"),
        *("responses==0.26.3", "xmltodict==1.0.4", "blinker==1.9.0", "itsdangerous==2.2.0", "requests==2.34.2"),
        *("charset-normalizer==3.5.3", "certifi==2026.10.19.post1", "py-partiql-parser==0.6.3"),
    ),
    "home_assistant": (  # the last one for Python 3.11
        *("homeassistant==2024.3.3", "voluptuous==0.13.1", "voluptuous-serialize==2.6.0", "aiohttp==3.9.3"),
        *("aiosignal==1.4.0", "frozenlist==1.8.0", "multidict==6.0.5", "yarl==1.9.4", "attrs==23.2.0", "idna==3.20"),
        *("awesomeversion==24.2.0", "ciso8601==2.3.1", "orjson==3.9.15", "python-slugify==8.0.4"),
        *("text-unidecode==1.3", "ulid-transform==0.9.0", "atomicwrites-homeassistant==1.4.1", "astral==2.2"),
        *("pytz==2026.6", "pyjwt==2.8.0", "cryptography==42.0.5", "cffi==2.1.1", "pycparser==3.12", "bcrypt==4.1.2"),
        *("certifi==2026.10.19.post1", "lru-dict==1.3.0", "ifaddr==0.2.0", "async-interrupt==1.1.1"),
        *("aiohttp-cors==0.7.0", "aiohttp-fast-url-dispatcher==0.3.0"),
    ),
}
"""What is fetched: ``base`` and ``storage`` have wheels for x86-64 and aarch64, datumaro for x86-64 only."""

KEPT: Final = {
    "home_assistant": (
        "homeassistant/components",
        frozenset({"binary_sensor", "http", "mqtt", "network", "persistent_notification", "sensor", "websocket_api"}),
    )
}
"""Set to a folder of it and what is kept of that one: the rest of it is large, and no test looks at it."""

_STAMP: Final = "fetched"
_FETCHING: Final = 300  # seconds
_RUNNING: Final = 120  # seconds


def _cache() -> Path:
    own = os.environ.get("EDGE_PROGRAMS_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "edge-microscopy" / "programs"


CACHE: Final = _cache()
"""Where they are kept: decided when this is imported, for other tests give themselves other caches."""


def recipe(which: str) -> str:
    """What a set is, as a hash: other versions or another Python mean that it is fetched anew."""
    return hashlib.sha256(repr((SETS[which], sys.version)).encode()).hexdigest()


def missing(*which: str) -> str:
    """Why sets cannot be used; empty: they can."""
    for one in which:
        stamp = CACHE / one / _STAMP
        if not stamp.exists() or stamp.read_text() != recipe(one):
            return f"other programs ({one}) are not installed: python -m tests.exchange.programs.install"
    return ""


def install(which: str) -> str:
    """Fetch a set; returns why that could not be done, empty: it is there."""
    if not missing(which):
        return ""
    target, fetched = CACHE / which, CACHE / f"{which}.new"
    shutil.rmtree(fetched, ignore_errors=True)
    options = (
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--no-compile",
    )
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(fetched), *SETS[which]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCHING, check=False)
    except subprocess.TimeoutExpired:
        return f"pip took longer than {_FETCHING} seconds"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["pip failed"])[-1]
    folder, kept = KEPT.get(which, ("", frozenset[str]()))
    for path in (fetched / folder).iterdir() if folder else ():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path)
    (fetched / _STAMP).write_text(recipe(which))
    shutil.rmtree(target, ignore_errors=True)
    fetched.rename(target)
    return ""


def run(script: str, *arguments: Path, sets: tuple[str, ...] = ("base",)) -> Any:
    """Run a script of this folder with other programs' code in a child process: what it prints last, read as JSON."""
    where = os.pathsep.join(str(CACHE / one) for one in reversed(sets))
    command = [sys.executable, str(Path(__file__).parent / f"{script}.py"), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": where}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_RUNNING, check=False)
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])


def main() -> int:
    """Fetch all; returns the exit code."""
    failed = 0
    for which in SETS:
        why = install(which)
        if why:
            failed = 8
            sys.stderr.write(f"other programs ({which}): {why}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
