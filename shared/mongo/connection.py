"""How clients reach MongoDB: the settings, turned into a client."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pymongo import AsyncMongoClient

from shared.settings import Settings


def mongo_client(settings: Settings, **options: Any) -> AsyncMongoClient[dict[str, Any]]:
    """A client of the deployment's MongoDB, with TLS where the settings name a certificate file.
    Times come back in UTC. ``options`` are PyMongo's and go before the URL's.

    Raises PyMongo's ConfigurationError or InvalidURI for a URL or file that cannot be used.
    """
    if settings.mongodb_ca_file is not None:
        options = {"tls": True, "tlsCAFile": str(settings.mongodb_ca_file), **options}
    if settings.mongodb_certificate_key_file is not None:
        key_file = str(settings.mongodb_certificate_key_file)
        options = {"tls": True, "tlsCertificateKeyFile": key_file, **options}
    return AsyncMongoClient(settings.mongodb.get_secret_value(), tz_aware=True, **options)


def without_password(url: str) -> str:
    """``url`` as it may be shown."""
    parts = urlsplit(url)
    account, at, hosts = parts.netloc.rpartition("@")
    if not at:
        return url
    user = account.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}:***@{hosts}"))
