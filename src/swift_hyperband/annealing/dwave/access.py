"""The address of the annealer and the secrets of the client's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dwave.cloud.config import constants, load_config
from dwave.cloud.config.exceptions import ConfigFileError

from swift_hyperband.annealing.errors import AnnealerError, cleaned


@dataclass(frozen=True)
class Access:
    """Where the annealer is, and what must not be told of it.

    Attributes
    ----------
    host : str
        As shown in errors: without path, user and password.
    secrets : tuple of str
        The token, and whatever else of the client's configuration is a secret.
    """

    host: str
    secrets: tuple[str, ...] = field(repr=False)

    @classmethod
    def configured(cls) -> Access:
        """Return what the environment and the client's own configuration file say.

        Raises
        ------
        AnnealerError
            If there is no token, or the configuration cannot be read.
        """
        try:
            config = load_config()
        except (ConfigFileError, ValueError) as error:
            # the text of a parse error may quote the line with the token
            raise AnnealerError(
                f"the D-Wave client's configuration must be readable, found {type(error).__name__}; "
                "look at the file with 'dwave config inspect', and at DWAVE_CONFIG_FILE and DWAVE_PROFILE"
            ) from None
        token = (config.get("token") or "").strip()
        endpoint = config.get("endpoint") or ""
        if not token:
            raise AnnealerError(
                "a D-Wave token is needed, found none; set DWAVE_API_TOKEN in the environment, or 'token' in the "
                "client's configuration with 'dwave config create' (never in the study file)"
            )
        if not (token.isascii() and token.isprintable()) or " " in token:
            # it would be quoted in the error of an HTTP header
            raise AnnealerError(
                "the D-Wave token must be one word, found spaces or control characters; check DWAVE_API_TOKEN"
            )
        if endpoint and urlsplit(endpoint).scheme not in ("http", "https"):
            raise AnnealerError("the annealer's endpoint must be an http(s) URL; check DWAVE_API_ENDPOINT")
        parts = urlsplit(endpoint or constants.DEFAULT_SOLVER_API_ENDPOINT)
        proxy = urlsplit(config.get("proxy") or "")
        secrets = (token, parts.password, proxy.password, config.get("headers"))
        return cls(parts.netloc.rpartition("@")[2], tuple(secret for secret in secrets if secret))

    def clean(self, text: object) -> str:
        """Return a server's or a library's words in one short line, without secrets."""
        return cleaned(text, self.secrets)
