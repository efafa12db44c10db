"""Certificates for the server that asks for one: an authority of its own, a server and a client certificate."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM. The client needs ``client``, ``client_key`` and ``ca``."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make(directory: Path, host: str) -> Certificates:
    """New keys and certificates in the directory, readable by the owner only. The authority's key is not kept."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Björkåsa demo CA", authority_key, "Björkåsa demo CA", authority_key, None, host)
    files = Certificates(*(directory / f"{n}.pem" for n in ("ca", "server", "server-key", "client", "client-key")))
    _write(files.ca, _pem(authority))
    for name, usage, certificate, key_file in (
        ("narvaro", ExtendedKeyUsageOID.SERVER_AUTH, files.server, files.server_key),
        ("gateway", ExtendedKeyUsageOID.CLIENT_AUTH, files.client, files.client_key),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        _write(certificate, _pem(_certificate(name, key, "Björkåsa demo CA", authority_key, usage, host)))
        unencrypted = serialization.NoEncryption()
        pkcs8 = serialization.PrivateFormat.PKCS8
        _write(key_file, key.private_bytes(serialization.Encoding.PEM, pkcs8, unencrypted))
    return files


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    usage: x509.ObjectIdentifier | None,
    host: str,
) -> x509.Certificate:
    """``usage`` None makes an authority."""
    authority = usage is None
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
                key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _names(host: str) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    try:
        names.append(x509.IPAddress(ipaddress.ip_address(host)))
    except ValueError:
        names.append(x509.DNSName(host))
    return names


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)
