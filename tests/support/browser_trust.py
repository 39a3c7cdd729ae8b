"""A person puts a root into a browser's own store: NSS, as Chromium on Linux asks it.

What `certutil -A -t C,,` does, through the library that the browser itself brings along.
"""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_SERVERS = 0x10 | 0x08
"""CERTDB_TRUSTED_CA | CERTDB_VALID_CA of nss/certt.h: what `C` means to certutil."""


class _Trust(ctypes.Structure):
    """CERTCertTrust: for servers, mail, code."""

    _fields_ = (("ssl", ctypes.c_uint), ("email", ctypes.c_uint), ("code", ctypes.c_uint))


class _Item(ctypes.Structure):
    """SECItem: bytes."""

    _fields_ = (("type", ctypes.c_int), ("data", ctypes.c_char_p), ("len", ctypes.c_uint))


def add_root(home: Path, der: bytes, name: str) -> None:
    """Add a root to the store in `home`, where Chromium looks when HOME names it."""
    folder = home / ".pki/nssdb"
    folder.mkdir(parents=True, exist_ok=True)
    nss = ctypes.CDLL("libnss3.so")
    for wanted in ("PK11_GetInternalKeySlot", "CERT_NewTempCertificate", "CERT_GetDefaultCertDB"):
        getattr(nss, wanted).restype = ctypes.c_void_p
    _done(nss.NSS_Initialize(f"sql:{folder}".encode(), b"", b"", b"secmod.db", 0), "open")
    slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
    _done(nss.PK11_InitPin(slot, None, b""), "make")
    store = ctypes.c_void_p(nss.CERT_GetDefaultCertDB())
    item = _Item(0, der, len(der))
    made = ctypes.c_void_p(nss.CERT_NewTempCertificate(store, ctypes.byref(item), None, 0, 1))
    _done(nss.PK11_ImportCert(slot, made, ctypes.c_ulong(0), name.encode(), 0), "write")
    trust = _Trust(_SERVERS, 0, 0)
    _done(nss.CERT_ChangeCertTrust(store, made, ctypes.byref(trust)), "trust")
    nss.CERT_DestroyCertificate(made)
    nss.PK11_FreeSlot(slot)
    _done(nss.NSS_Shutdown(), "close")


def _done(status: int, what: str) -> None:
    assert status == 0, f"NSS could not {what} the store"


if __name__ == "__main__":
    # NSS keeps the process's state: a store is written by a process of its own.
    add_root(Path(sys.argv[1]), Path(sys.argv[2]).read_bytes(), "Tallyman")
