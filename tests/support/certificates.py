"""Certificates of a test's own authority, in PEM files."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Issuer = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def make_certificates(folder: Path) -> None:
    """Writes ``ca.pem`` (the authority's certificate), ``server.pem`` and ``client.pem`` (each a
    key with its certificate) and ``other-ca.pem`` (an authority that signed nothing)."""
    authority = _issue("Test authority", None)
    server = _issue("127.0.0.1", authority)
    client = _issue("client", authority)
    (folder / "ca.pem").write_bytes(_certificate(authority))
    (folder / "other-ca.pem").write_bytes(_certificate(_issue("Another authority", None)))
    (folder / "server.pem").write_bytes(_key(server) + _certificate(server))
    (folder / "client.pem").write_bytes(_key(client) + _certificate(client))


def _issue(name: str, issuer: Issuer | None) -> Issuer:
    """A key and its certificate for this machine; without ``issuer``, an authority's own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signed_by = (key, subject) if issuer is None else (issuer[0], issuer[1].subject)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signed_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        here = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(here), critical=False)
    return key, builder.sign(signer, hashes.SHA256())


def _certificate(issued: Issuer) -> bytes:
    return issued[1].public_bytes(Encoding.PEM)


def _key(issued: Issuer) -> bytes:
    return issued[0].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
