# ruff: noqa: INP001 -- a script, not a package
"""Makes the secrets of deploy/compose.yaml: passwords, role settings and a self-signed certificate.

    python3 deploy/make_secrets.py [--names dock.example,192.0.2.7] [--owner 10001]

What exists is kept, so that it may be run again. Standard library and the openssl command only.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import ipaddress
import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

ROLES = ("hub", "edge", "lane", "gateway", "sensors")
VEHICLES = ("tallyman/agv-1", "tallyman/agv-2")
"""The virtual ones of the demonstration. Real ones: docs/guides/connect-a-fleet.md."""
MOSQUITTO = 1883
"""User id inside the broker's image."""

# Mosquitto's own password format: $7$ is PBKDF2 with SHA-512 (mosquitto_passwd writes the same).
_ITERATIONS = 20_000


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(__file__).with_name("secrets"))
    parser.add_argument("--names", default="localhost", help="names and addresses of the hub")
    parser.add_argument("--owner", type=int, default=10001, help="user id inside the image")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    make(chosen.folder, chosen.names.split(","))
    for file in chosen.folder.iterdir():
        file.chmod(0o600)
        if os.geteuid() == 0:
            owner = MOSQUITTO if file.name == "mosquitto_passwords" else chosen.owner
            os.chown(file, owner, owner)
    print(f"secrets are in {chosen.folder}")  # noqa: T201 -- a script speaks to its user
    return 0


def make(folder: Path, names: list[str]) -> None:
    """Write every secret that is not there yet."""
    passwords = {role: _secret(folder / f"{role}_password") for role in ROLES}
    database = _secret(folder / "postgres_password")
    valkey = _secret(folder / "valkey_password")
    seats = json.dumps({name: secrets.token_hex(24) for name in VEHICLES})
    _write_new(folder / "fleet_vehicles.json", seats)
    vehicles = json.loads((folder / "fleet_vehicles.json").read_text())
    _add_users(folder / "mosquitto_passwords", passwords | vehicles)
    _write_new(folder / "valkey.conf", f'requirepass {valkey}\nsave ""\nappendonly no\n')
    live = f'[live]\nurl = "redis://:{valkey}@valkey:6379/0"\n'
    _write_new(folder / "fleet.toml", '[broker]\nurl = "mqtt://mosquitto:1883"\n')
    for role in ("hub", "edge", "gateway"):
        text = f'[broker]\nurl = "mqtt://{role}:{passwords[role]}@mosquitto:1883"\n{live}'
        if role == "hub":
            address = f"postgresql+psycopg://tallyman:{database}@postgres/tallyman"
            text += f'[hub]\ndatabase_url = "{address}"\n'
        _write_new(folder / f"{role}.toml", text)
    if not (folder / "tls.key").exists():
        _certificate(folder, names)


def mosquitto_hash(password: str) -> str:
    """The password as Mosquitto 2 stores it."""
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    text = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"$7${_ITERATIONS}${'$'.join(text)}"


def _add_users(file: Path, passwords: dict[str, str]) -> None:
    """A line for everybody who has none yet; whoever was added by hand stays."""
    _write_new(file, "")
    known = {line.partition(":")[0] for line in file.read_text().splitlines()}
    with file.open("a") as out:
        for name, password in passwords.items():
            if name not in known:
                out.write(f"{name}:{mosquitto_hash(password)}\n")


def _secret(file: Path) -> str:
    _write_new(file, secrets.token_hex(24))
    return file.read_text()


def _write_new(file: Path, text: str) -> None:
    if file.exists():
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(text)


def _certificate(folder: Path, names: list[str]) -> None:
    subject = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
    subprocess.run(  # noqa: S603 -- openssl with names that the administrator typed
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "397", "-subj", f"/CN={names[0]}"),
            *("-addext", f"subjectAltName={subject}"),
            *("-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.crt")),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
        umask=0o077,
    )


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
